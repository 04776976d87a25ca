package tunnel_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
)

func TestAStreamCarriesBytesBothWaysToItsEnd(t *testing.T) {
	a, b := pair(t, new(tunneltest.Bus))
	nc := a.dial("b", "who it is", "hello")
	peer := b.accept()
	if got := string(peer.Meta()); got != "who it is" {
		t.Errorf("meta %q", got)
	}
	if l, r := peer.LocalAddr().String(), peer.RemoteAddr().String(); l != "b" || r != "a" {
		t.Errorf("addresses %s, %s", l, r)
	}
	expect(t, peer, "hello")
	if _, err := io.WriteString(peer, "and to you"); err != nil {
		t.Fatal(err)
	}
	expect(t, nc, "and to you")
	if err := nc.(*tunnel.Stream).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := peer.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Fatalf("%d, %v", n, err)
	}
	if _, err := nc.Write([]byte("more")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after CloseWrite: %v", err)
	}
	_, _ = io.WriteString(peer, "last")
	_ = peer.Close()
	if rest, err := io.ReadAll(nc); string(rest) != "last" || err != nil {
		t.Fatalf("%q, %v", rest, err)
	}
	until(t, "both have forgotten it", func() bool { return a.Stats().Streams+b.Stats().Streams == 0 })
}

func TestALongStreamWaitsForItsReader(t *testing.T) {
	a, b := pair(t, new(tunneltest.Bus))
	content := make([]byte, 3<<20)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	nc, peer := connect(t, a, b)
	var both sync.WaitGroup
	send := func(w net.Conn) {
		both.Go(func() {
			if _, err := w.Write(content); err != nil {
				t.Error(err)
			}
			_ = w.(*tunnel.Stream).CloseWrite()
		})
	}
	take := func(r net.Conn) {
		both.Go(func() {
			h := sha256.New()
			if _, err := io.CopyBuffer(h, struct{ io.Reader }{r}, make([]byte, 1+rand.IntN(50_000))); err != nil {
				t.Error(err)
			}
			if want := sha256.Sum256(content); !bytes.Equal(h.Sum(nil), want[:]) {
				t.Error("other bytes came out than went in")
			}
		})
	}
	send(nc)
	send(peer)
	take(nc)
	take(peer)
	both.Wait()
}

func TestAWriterMayBeAWindowAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, new(tunneltest.Bus))
		nc, peer := connect(t, a, b)
		_ = nc.SetWriteDeadline(time.Now().Add(time.Minute))
		n, err := nc.Write(make([]byte, 1<<20))
		if want := 64<<10 - 0; !errors.Is(err, os.ErrDeadlineExceeded) || n > want || n < want-len("hello") {
			t.Fatalf("%d bytes, %v", n, err)
		}
		_ = nc.SetWriteDeadline(time.Time{})
		done := make(chan error)
		go func() {
			_, err := nc.Write([]byte("more"))
			done <- err
		}()
		if _, err := io.ReadFull(peer, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		expect(t, peer, "more")
	})
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, new(tunneltest.Bus))
		nc, peer := connect(t, a, b)
		for range 2 {
			_ = nc.SetReadDeadline(time.Now().Add(time.Second))
			if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
		}
		_ = nc.SetDeadline(time.Now().Add(-time.Second))
		if _, err := nc.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		_ = nc.SetDeadline(time.Time{})
		go func() {
			time.Sleep(time.Second)
			_ = nc.SetReadDeadline(time.Now()) // wakes who waits already
		}()
		if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
		_ = nc.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(peer, "in time")
		expect(t, nc, "in time")
	})
}

func TestCloseWakesWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t, new(tunneltest.Bus))
		nc, peer := connect(t, a, b)
		go func() {
			time.Sleep(time.Second)
			_ = nc.Close()
		}()
		if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
		if _, err := peer.Read(make([]byte, 1)); err != io.EOF {
			t.Fatal(err)
		}
		_, _ = peer.Write([]byte("for nobody")) // is answered with a reset
		synctest.Wait()
		if _, err := peer.Write([]byte("x")); !errors.Is(err, tunnel.ErrReset) {
			t.Fatal(err)
		}
	})
}

func TestAServerThatNobodyKnowsIsNotDialed(t *testing.T) {
	a := join(t, new(tunneltest.Bus), "a")
	if _, err := a.Dial(context.Background(), "nobody", nil); !errors.Is(err, tunnel.ErrPeerGone) {
		t.Fatal(err)
	}
	if _, err := a.Dial(context.Background(), "a", nil); !errors.Is(err, tunnel.ErrPeerGone) {
		t.Fatalf("one's own tag: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := a.Dial(ctx, "b", nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestBadTagsAreRefused(t *testing.T) {
	for _, tag := range []string{"a.b", "ä", strings.Repeat("x", 17), "a b"} {
		if _, err := tunnel.New(new(tunneltest.Bus), tunnel.Options{Tag: tag}); !errors.Is(err, tunnel.ErrBadTag) {
			t.Errorf("%q: %v", tag, err)
		}
	}
	if a := join(t, new(tunneltest.Bus), ""); !tunnel.ValidTag(a.Tag()) {
		t.Errorf("random tag %q", a.Tag())
	}
}

func TestWhoDoesNotListenRefuses(t *testing.T) {
	a, b := pair(t, new(tunneltest.Bus))
	if _, err := b.Listen(); err == nil {
		t.Error("two listeners")
	}
	_ = b.listener.Close()
	nc := a.dial("b", "", "hello")
	if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, tunnel.ErrRefused) {
		t.Fatal(err)
	}
	if l, err := b.Listen(); err != nil {
		t.Fatal(err)
	} else {
		b.listener = l
	}
	connect(t, a, b)
}

func TestStreamsAreBounded(t *testing.T) {
	a, b := pair(t, new(tunneltest.Bus), func(o *tunnel.Options) {
		if o.Tag == "b" {
			o.MaxStreams = 2
		} else {
			o.MaxStreams = 3
		}
	})
	first, _ := connect(t, a, b)
	connect(t, a, b)
	third := a.dial("b", "", "hello")
	if _, err := third.Read(make([]byte, 1)); !errors.Is(err, tunnel.ErrBusy) {
		t.Fatal(err)
	}
	connectNot := func() error {
		nc, err := a.Dial(context.Background(), "b", nil)
		if err != nil {
			return err
		}
		defer func() { _ = nc.Close() }()
		if _, err = nc.Write([]byte("x")); err == nil {
			_, err = nc.Read(make([]byte, 1))
		}
		return err
	}
	if err := connectNot(); !errors.Is(err, tunnel.ErrBusy) {
		t.Fatal(err)
	}
	_ = first.Close()
	_ = b.Tunnel // b's end is closed by its user only
	if got := b.Stats().Refused; got != 2 {
		t.Errorf("%d refused", got)
	}
}

func TestBytesThatWaitAreBounded(t *testing.T) {
	a, b := pair(t, new(tunneltest.Bus), func(o *tunnel.Options) { o.MaxBytes = 100_000 })
	one, _ := connect(t, a, b)
	two, peer := connect(t, a, b)
	if _, err := one.Write(make([]byte, 60_000)); err != nil {
		t.Fatal(err)
	}
	_, _ = two.Write(make([]byte, 60_000))
	if _, err := two.Read(make([]byte, 1)); !errors.Is(err, tunnel.ErrBusy) {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, peer); !errors.Is(err, tunnel.ErrBusy) || n > 40_000 {
		t.Fatalf("%d, %v", n, err)
	}
}
