package systemd

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Notifier speaks to the service manager. Its methods are safe for concurrent use, and
// do nothing on nil.
type Notifier struct {
	conn     *net.UnixConn
	watchdog time.Duration // 0: nobody watches
	clock    func() time.Duration
}

// FromEnvironment returns a Notifier for the socket that NOTIFY_SOCKET names, a path or
// @ and an abstract name; nil where there is none. Close must follow.
func FromEnvironment() (*Notifier, error) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return nil, nil
	}
	if !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "@") {
		return nil, fmt.Errorf("systemd: NOTIFY_SOCKET is %q: only a path or @name can be spoken to", name)
	}
	watchdog, err := watchdogFromEnvironment()
	if err != nil {
		return nil, err
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("systemd: NOTIFY_SOCKET: %w", err)
	}
	return &Notifier{conn: conn, watchdog: watchdog, clock: monotonic}, nil
}

// watchdogFromEnvironment is how often the manager wants to hear of us; 0 where it does
// not (sd_watchdog_enabled(3)).
func watchdogFromEnvironment() (time.Duration, error) {
	text := os.Getenv("WATCHDOG_USEC")
	if pid := os.Getenv("WATCHDOG_PID"); text == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0, nil
	}
	usec, err := strconv.ParseInt(text, 10, 64)
	if err != nil || usec <= 0 || usec > int64(time.Duration(1<<63-1)/time.Microsecond) {
		return 0, fmt.Errorf("systemd: WATCHDOG_USEC is %q, not a number of microseconds", text)
	}
	return time.Duration(usec) * time.Microsecond, nil
}

// Ready says that the program serves, with a line for people: at the start, and when a
// reload is done.
func (n *Notifier) Ready(status string) { n.send("READY=1", "STATUS="+status) }

// Reloading says that the configuration is read again. Ready must follow, whether or
// not that succeeded. Type=notify-reload wants the time with it.
func (n *Notifier) Reloading() {
	if n != nil {
		n.send("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(n.clock().Microseconds(), 10))
	}
}

// Stopping says that the program has begun to stop and will have ended within that time,
// which TimeoutStopSec need not know of.
func (n *Notifier) Stopping(within time.Duration) {
	n.send("STOPPING=1", "STATUS=Stopping", "EXTEND_TIMEOUT_USEC="+strconv.FormatInt(within.Microseconds(), 10))
}

// Status is a line for people, as systemctl status shows it.
func (n *Notifier) Status(text string) { n.send("STATUS=" + text) }

// Close gives the socket back. What is called afterwards does nothing.
func (n *Notifier) Close() error {
	if n == nil {
		return nil
	}
	return n.conn.Close()
}

// send drops what a manager that does not read has no room for.
func (n *Notifier) send(lines ...string) {
	if n == nil {
		return
	}
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(line, "\n", " ")
	}
	_ = n.conn.SetWriteDeadline(time.Now().Add(patience))
	_, _ = n.conn.Write([]byte(strings.Join(lines, "\n")))
}

// patience is how long a message may wait for room in the manager's queue.
const patience = time.Second
