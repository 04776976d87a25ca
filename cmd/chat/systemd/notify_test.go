package systemd_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fanfare-go/fanfare/cmd/chat/systemd"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// manager is a service manager's socket.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
}

// listen opens a socket that the environment names from then on.
func listen(t *testing.T, name string) *manager {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	return &manager{t, conn}
}

// notifier is what the environment gives.
func notifier(t *testing.T) *systemd.Notifier {
	t.Helper()
	n, err := systemd.FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// read returns the lines of the next message.
func (m *manager) read() []string {
	m.t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		m.t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := m.conn.Read(b)
	if err != nil {
		m.t.Fatal(err)
	}
	return strings.Split(string(b[:n]), "\n")
}

func (m *manager) want(lines ...string) {
	m.t.Helper()
	if got := m.read(); fmt.Sprint(got) != fmt.Sprint(lines) {
		m.t.Fatalf("%q, want %q", got, lines)
	}
}

func TestEveryStepIsToldToTheManager(t *testing.T) {
	for name, socket := range map[string]string{
		"a path":   filepath.Join(t.TempDir(), "notify"),
		"abstract": "@fanfare-test-" + strconv.Itoa(os.Getpid()),
	} {
		t.Run(name, func(t *testing.T) {
			m := listen(t, socket)
			n := notifier(t)
			n.Ready("Serving on :3000")
			m.want("READY=1", "STATUS=Serving on :3000")
			n.Status("two\nlines")
			m.want("STATUS=two lines")
			n.Stopping(75 * time.Second)
			m.want("STOPPING=1", "STATUS=Stopping", "EXTEND_TIMEOUT_USEC=75000000")
		})
	}
}

// systemd takes a reload whose time is before its own request for an old one.
func TestAReloadHasItsTime(t *testing.T) {
	m := listen(t, filepath.Join(t.TempDir(), "notify"))
	n := notifier(t)
	var times []int64
	for range 2 {
		n.Reloading()
		lines := m.read()
		usec, ok := strings.CutPrefix(lines[len(lines)-1], "MONOTONIC_USEC=")
		at, err := strconv.ParseInt(usec, 10, 64)
		if lines[0] != "RELOADING=1" || len(lines) != 2 || !ok || err != nil {
			t.Fatalf("%q", lines)
		}
		times = append(times, at)
	}
	up, err := os.ReadFile("/proc/uptime") // with the time asleep, which a monotonic clock has not
	if err != nil {
		t.Skip(err)
	}
	seconds, err := strconv.ParseFloat(strings.Fields(string(up))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	if times[1] < times[0] || float64(times[1]) > (seconds+1)*1e6 {
		t.Errorf("%d µs, at %v s", times, seconds)
	}
}

func TestTheWatchdogIsFedWhileTheProgramIsAlive(t *testing.T) {
	m := listen(t, filepath.Join(t.TempDir(), "notify"))
	t.Setenv("WATCHDOG_USEC", "20000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	n := notifier(t)
	var stuck atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.Watch(ctx, func() error {
			if stuck.Load() {
				return errors.New("a loop is stuck")
			}
			return nil
		})
	}()
	for range 3 {
		m.want("WATCHDOG=1")
	}
	stuck.Store(true)
	for line := ""; line != "STATUS=Not alive: a loop is stuck"; line = m.read()[0] {
		if line != "" && line != "WATCHDOG=1" {
			t.Fatal(line)
		}
	}
	m.want("STATUS=Not alive: a loop is stuck") // and nothing that would keep it running
	stuck.Store(false)
	for m.read()[0] != "WATCHDOG=1" {
	}
	cancel()
	<-done
}

func TestNobodyWatchesWhereNobodyAsked(t *testing.T) {
	listen(t, filepath.Join(t.TempDir(), "notify"))
	for name, pid := range map[string]string{"no watchdog": "", "another process's": "1"} {
		t.Run(name, func(t *testing.T) {
			if pid != "" {
				t.Setenv("WATCHDOG_USEC", "20000")
				t.Setenv("WATCHDOG_PID", pid)
			}
			notifier(t).Watch(t.Context(), func() error { t.Error("asked"); return nil }) // returns
		})
	}
}

func TestWithoutAManagerNothingIsSaid(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	n := notifier(t)
	if n != nil {
		t.Fatal("a notifier for nobody")
	}
	n.Ready("")
	n.Reloading()
	n.Stopping(time.Second)
	n.Status("")
	n.Watch(t.Context(), nil)
}

func TestAnEnvironmentThatMakesNoSenseIsAnError(t *testing.T) {
	there := filepath.Join(t.TempDir(), "notify")
	listen(t, there)
	for _, tt := range []struct{ socket, usec, text string }{
		{"vsock:2:1234", "", "NOTIFY_SOCKET"},
		{filepath.Join(t.TempDir(), "gone"), "", "NOTIFY_SOCKET"},
		{there, "soon", "WATCHDOG_USEC"},
		{there, "0", "WATCHDOG_USEC"},
		{there, "9223372036854775807", "WATCHDOG_USEC"},
	} {
		t.Setenv("NOTIFY_SOCKET", tt.socket)
		t.Setenv("WATCHDOG_USEC", tt.usec)
		if n, err := systemd.FromEnvironment(); err == nil || n != nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s %s: %v %v", tt.socket, tt.usec, n, err)
		}
	}
}

// A manager that does not read must not hold the program up.
func TestAManagerThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	listen(t, filepath.Join(t.TempDir(), "notify"))
	n := notifier(t)
	begin := time.Now()
	for range 2000 { // the kernel has room for net.unix.max_dgram_qlen messages, 10 to some hundred
		n.Status("again")
		if time.Since(begin) > time.Second {
			return // it was full, and send gave up
		}
	}
	t.Skip("the socket's queue has no end here")
}
