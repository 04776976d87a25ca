package swarm_test

import (
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/swarm"
)

func TestMain(m *testing.M) {
	swarm.Main()
	os.Exit(m.Run())
}

// peer accepts connections and gives each to serve.
func peer(t *testing.T, serve func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String()
}

func start(t *testing.T, addr string, n int) *swarm.Swarm {
	t.Helper()
	s, err := swarm.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := s.Open(swarm.Raw, addr, n); err != nil {
		t.Fatal(err)
	}
	return s
}

func echo(c net.Conn) { _, _ = io.Copy(c, c) }

func TestRoundTripsAreCountedAndTimed(t *testing.T) {
	s := start(t, peer(t, echo), 3)
	if err := s.Begin(swarm.Trips{N: 10, Request: "hello", Answer: "hello"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		t.Fatal(err)
	}
	l, err := s.Halt()
	if err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	for _, b := range l.Buckets {
		n += b.Count
	}
	if n != 10 {
		t.Fatalf("%d trips were timed, want 10", n)
	}
}

func TestTripsAtSetTimesDoNotWaitForAnswers(t *testing.T) {
	const trips, request = 10, 7 // bytes of a masked frame of one letter
	s := start(t, peer(t, func(c net.Conn) {
		all := make([]byte, trips*request)
		if _, err := io.ReadFull(c, all); err == nil {
			_, _ = c.Write(all)
		}
		echo(c)
	}), 1)
	if err := s.Begin(swarm.Trips{N: trips, Request: "x", Answer: "x", Every: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); err != nil { // the peer answers none before it has all
		t.Fatal(err)
	}
	l, err := s.Halt()
	if err != nil || l.Max < 8000 {
		t.Fatalf("the first of %d trips, 1 ms apart, waited for the last, but the longest took %v us (%v)", trips, l.Max, err)
	}
}

func TestAWrongAnswerIsAnError(t *testing.T) {
	s := start(t, peer(t, echo), 1)
	if err := s.Begin(swarm.Trips{N: 1, Request: "hello", Answer: "goodbye"}); err != nil {
		t.Fatal(err)
	}
	err := s.Wait() // whoever asks first after it came is told
	if err == nil {
		_, err = s.Halt()
	}
	if err == nil || !strings.Contains(err.Error(), "goodbye") {
		t.Fatal(err)
	}
}

func TestARefusedConnectionIsAnError(t *testing.T) {
	s := start(t, peer(t, echo), 0)
	if err := s.Open(swarm.Raw, "127.0.0.1:1", 1); err == nil {
		t.Fatal("nobody listens there")
	}
	if err := s.Open("unheard of", peer(t, echo), 1); err == nil {
		t.Fatal("there is no such kind")
	}
}
