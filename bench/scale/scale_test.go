package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	becomeChild()
	// A child that looks for races would sleep for a second at its end.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent()) // the global pool of ants
}

// small is a run over two servers and two clients.
func small() *options {
	return &options{Connections: 400, PerProcess: 200, Rounds: 3, Payload: 128, Dialing: 16,
		PingInterval: 25 * time.Second, Patience: 10 * time.Second}
}

func TestHoldsAllAndDeliversAll(t *testing.T) {
	for name, together := range map[string]bool{"one after the other": false, "together": true} {
		t.Run(name, func(t *testing.T) {
			o := small()
			o.Together = together
			r, err := run(t.Context(), o, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if r.Processes != 2 || r.Held != 400 || r.Deliveries != (report.Count{Expected: 1200, Delivered: 1200}) {
				t.Fatalf("%+v", r)
			}
			if r.Latency == nil || r.Latency.Max <= 0 || r.ServerUsage.PerUnit <= 0 || r.ConnectsPerSecond <= 0 || r.Memory.Heap <= 0 {
				t.Fatalf("a figure is missing: %+v", r)
			}
			var line bytes.Buffer
			if err := r.write(&line); err != nil {
				t.Fatal(err)
			}
			read, err := report.Read(&line)
			if err != nil || len(read) != 1 || read[0].Deliveries != r.Deliveries {
				t.Fatal(read, err)
			}
		})
	}
}

// One broadcast reaches the connections of every server.
func TestServersOfAClusterAreOne(t *testing.T) {
	o := small()
	o.PerProcess, o.Cluster = 150, embeddedCluster
	r, err := run(t.Context(), o, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if r.Processes != 3 || r.Deliveries != (report.Count{Expected: 1200, Delivered: 1200}) || r.Latency == nil || r.BrokerBytes < 2*128 {
		t.Errorf("%+v", r)
	}
}

func TestHeartbeatsAreAnswered(t *testing.T) {
	o := small()
	o.Connections, o.PerProcess, o.PingInterval, o.Hold = 50, 25, 100*time.Millisecond, 300*time.Millisecond
	r, err := run(t.Context(), o, io.Discard)
	if err != nil || r.Heartbeats < 50 {
		t.Fatal(r, err)
	}
}

// connected is a scene whose connections stand.
func connected(t *testing.T, o *options) *scene {
	t.Helper()
	m, err := thisMachine()
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPlan(o, m)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &scene{o: o, plan: p, progress: io.Discard}
	t.Cleanup(func() { // what a test has killed is no news
		cancel()
		_ = s.stop()
	})
	addrs, err := s.start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.connect(ctx, addrs); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestALostServerFailsTheRun(t *testing.T) {
	s := connected(t, small())
	if err := s.servers[1].cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	err := s.rounds(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "client 1: connection ") {
		t.Fatal(err)
	}
	if err := s.count(); err == nil || s.result.Deliveries.Complete() {
		t.Fatal("counted as complete", s.result.Deliveries, err)
	}
}

func TestAServerThatSaysNothingFailsTheRun(t *testing.T) {
	o := small()
	o.Patience = 200 * time.Millisecond
	s := connected(t, o)
	if err := s.servers[0].cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	err := s.rounds(t.Context())
	if back := s.servers[0].cmd.Process.Signal(syscall.SIGCONT); back != nil {
		t.Fatal(back)
	}
	if err == nil || !strings.HasPrefix(err.Error(), "client 0: nothing happened for 200ms") {
		t.Fatal(err)
	}
}

// signaller interrupts a run when it says something.
type signaller struct {
	at        string
	interrupt func()
}

func (s *signaller) Write(b []byte) (int, error) {
	if strings.Contains(string(b), s.at) {
		s.interrupt()
	}
	return len(b), nil
}

func TestAnInterruptEndsEverybody(t *testing.T) {
	for _, at := range []string{"starting", "opening", "holding", "round 0"} {
		t.Run(at, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			o := small()
			o.Hold = time.Millisecond
			if at == "holding" {
				o.Hold = time.Hour
			}
			r, err := run(ctx, o, &signaller{at, cancel}) // returns when all children have ended
			if r != nil || err == nil || !strings.HasPrefix(err.Error(), "interrupted") {
				t.Fatal(r, err)
			}
		})
	}
}

func TestAProcessThatCannotStartIsAnError(t *testing.T) {
	o := small()
	o.ServerCPUs = "1000"
	if r, err := run(t.Context(), o, io.Discard); r != nil || err == nil || !strings.Contains(err.Error(), "using the CPUs [1000]") {
		t.Fatal(r, err)
	}
}
