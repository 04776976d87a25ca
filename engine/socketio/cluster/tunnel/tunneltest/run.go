package tunneltest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
)

// patience is how long Run waits for what must happen.
const patience = 20 * time.Second

// Run has two servers, with a Carrier each, find each other, talk and part.
func Run(t *testing.T, one, two tunnel.Carrier) {
	t.Helper()
	a, b := join(t, one, "one"), join(t, two, "two")
	until(t, "the servers know each other", func() bool { return a.Knows("two") && b.Knows("one") })
	l, err := b.Listen()
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("0123456789abcdef"), 50_000) // 800 kB
	var all sync.WaitGroup
	for range 4 {
		nc, err := a.Dial(context.Background(), "two", []byte("meta"))
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() { mirrored(t, nc, content) })
		all.Go(func() { mirror(t, l) })
	}
	all.Wait()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	until(t, "the end of one is known to the other", func() bool { return !a.Knows("two") })
	if s := a.Stats(); s.Lost+s.Reset+s.Malformed+s.SendErrors > 0 {
		t.Errorf("%+v", s)
	}
}

func join(t *testing.T, c tunnel.Carrier, tag string) *tunnel.Tunnel {
	t.Helper()
	u, err := tunnel.New(c, tunnel.Options{Tag: tag, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close() })
	return u
}

// mirror sends back what comes on one stream.
func mirror(t *testing.T, l net.Listener) {
	nc, err := l.Accept()
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := io.Copy(nc, nc); err != nil {
		t.Error(err)
	}
	_ = nc.Close()
}

// mirrored sends b and requires it back.
func mirrored(t *testing.T, nc net.Conn, b []byte) {
	defer func() { _ = nc.Close() }()
	_ = nc.SetDeadline(time.Now().Add(patience))
	go func() {
		_, _ = nc.Write(b) // Read says what is wrong
		_ = nc.(*tunnel.Stream).CloseWrite()
	}()
	if got, err := io.ReadAll(nc); err != nil || !bytes.Equal(got, b) {
		t.Errorf("%d of %d bytes came back: %v", len(got), len(b), err)
	}
}

func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came true: %s", what)
		}
	}
}
