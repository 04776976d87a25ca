package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// innerClient notes what a client within the process is given.
type innerClient struct {
	mu     sync.Mutex
	got    []string
	ended  engine.Reason
	endAt  time.Time
	client *engine.Inner
}

func (c *innerClient) Text(b []byte)   { c.note("t:" + string(b)) }
func (c *innerClient) Binary(b []byte) { c.note("b:" + string(b)) }

func (c *innerClient) note(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, s)
}

func (c *innerClient) Closed(r engine.Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended, c.endAt = r, time.Now()
}

func (c *innerClient) seen() (got []string, ended engine.Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got), c.ended
}

// inner is a server without a network, in a bubble.
type inner struct {
	t   testing.TB
	srv *engine.Server
}

// echo is the floor above: it sends back what comes.
type echo struct{ s *engine.Session }

func (e echo) Text(b []byte) error {
	f := text(string(b))
	e.s.Send(f)
	f.Release()
	return nil
}

func (e echo) Binary(b []byte) error {
	f := text("binary")
	f.AppendBinary(b)
	e.s.Send(f)
	f.Release()
	return nil
}

func (e echo) Closed(engine.Reason) {}

func inBubble(t *testing.T, o engine.Options, test func(t *testing.T, k inner)) {
	synctest.Test(t, func(t *testing.T) {
		o.Logger = slog.New(slog.DiscardHandler)
		if o.Accept == nil {
			o.Accept = func(s *engine.Session) engine.Receiver { s.Established(); return echo{s} }
		}
		srv, err := engine.New(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := srv.StartInner(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := srv.Shutdown(context.Background()); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		}()
		test(t, inner{t, srv})
	})
}

func (k inner) open() (*innerClient, error) {
	c := new(innerClient)
	client, err := k.srv.OpenInner(httptest.NewRequest("GET", wsURL, nil), engine.Peer{}, c)
	c.client = client
	return c, err
}

func (k inner) mustOpen() *innerClient {
	k.t.Helper()
	c, err := k.open()
	if err != nil {
		k.t.Fatal(err)
	}
	return c
}

func TestInnerClientsExchangeMessages(t *testing.T) {
	inBubble(t, engine.Options{}, func(t *testing.T, k inner) {
		a, b := k.mustOpen(), k.mustOpen()
		a.client.Text([]byte("1"))
		a.client.Binary([]byte{2})
		a.client.Text(nil)
		b.client.Text([]byte("other"))
		synctest.Wait()
		if got, _ := a.seen(); !slices.Equal(got, []string{"t:1", "t:binary", "b:\x02", "t:"}) {
			t.Errorf("%q", got)
		}
		if got, _ := b.seen(); !slices.Equal(got, []string{"t:other"}) {
			t.Errorf("%q", got)
		}
		if st := k.srv.Stats(); st.WebSocket != 2 || st.Polling != 0 || st.Loops != 1 {
			t.Errorf("%+v", st)
		}
		a.client.Close()
		synctest.Wait()
		if _, ended := a.seen(); ended != engine.ReasonTransportClose {
			t.Errorf("ended: %v", ended)
		}
		if st := k.srv.Stats(); st.WebSocket != 1 {
			t.Errorf("%d sessions", st.WebSocket)
		}
	})
}

// The heartbeat is the server's own, under the bubble's clock.
func TestInnerClientsThatFallSilentTimeOut(t *testing.T) {
	inBubble(t, engine.Options{PingInterval: 25 * time.Second, PingTimeout: 20 * time.Second}, func(t *testing.T, k inner) {
		a, b := k.mustOpen(), k.mustOpen()
		time.Sleep(10 * time.Minute)
		if _, ended := a.seen(); ended != 0 {
			t.Fatalf("ended although it answers: %v", ended)
		}
		b.client.Silence()
		began := time.Now()
		time.Sleep(time.Minute)
		if _, ended := b.seen(); ended != engine.ReasonPingTimeout {
			t.Errorf("ended: %v", ended)
		}
		if took := b.endAt.Sub(began); took < 20*time.Second || took > 46*time.Second {
			t.Errorf("noticed after %v", took)
		}
		if _, ended := a.seen(); ended != 0 {
			t.Errorf("the other one ended: %v", ended)
		}
	})
}

func TestInnerClientsMeetTheBoundsOfOthers(t *testing.T) {
	o := engine.Options{MaxConnections: 1, MaxHTTPBufferSize: 10}
	inBubble(t, o, func(t *testing.T, k inner) {
		a := k.mustOpen()
		if _, err := k.open(); !errors.Is(err, engine.ErrFull) {
			t.Errorf("a second one: %v", err)
		}
		a.client.Text(make([]byte, 11))
		synctest.Wait()
		if _, ended := a.seen(); ended != engine.ReasonTransportError {
			t.Errorf("ended: %v", ended)
		}
		k.mustOpen() // its place is free
	})
	silent := func(s *engine.Session) engine.Receiver { return echo{s} }
	inBubble(t, engine.Options{Accept: silent, ConnectTimeout: time.Second}, func(t *testing.T, k inner) {
		a := k.mustOpen()
		time.Sleep(2 * time.Second)
		if _, ended := a.seen(); ended != engine.ReasonForcedServerClose {
			t.Errorf("ended: %v", ended)
		}
	})
}

func TestOpenInnerNeedsStartInner(t *testing.T) {
	f := start(t, engine.Options{})
	k := inner{t, f.srv}
	if _, err := k.open(); !errors.Is(err, engine.ErrNotListening) {
		t.Errorf("on a server with a port: %v", err)
	}
	synctest.Test(t, func(t *testing.T) {
		srv, _ := engine.New(engine.Options{Accept: func(*engine.Session) engine.Receiver { return nil }, Logger: slog.New(slog.DiscardHandler)})
		k := inner{t, srv}
		if _, err := k.open(); !errors.Is(err, engine.ErrNotListening) {
			t.Errorf("before: %v", err)
		}
		if err := srv.StartInner(); err != nil {
			t.Fatal(err)
		}
		c := k.mustOpen()
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		if _, ended := c.seen(); ended != engine.ReasonServerShutdown {
			t.Errorf("ended: %v", ended)
		}
		if _, err := k.open(); !errors.Is(err, engine.ErrNotListening) {
			t.Errorf("after: %v", err)
		}
		if _, ok := srv.SettleInner(); ok {
			t.Error("settled after the end")
		}
	})
}

// What is settled has reached the clients.
func TestSettleInnerWaitsForTheLoop(t *testing.T) {
	inBubble(t, engine.Options{}, func(t *testing.T, k inner) {
		c := k.mustOpen()
		for i := range 100 {
			c.client.Text([]byte("x"))
			if n, ok := k.srv.SettleInner(); !ok || n != uint64(i+1) {
				t.Fatalf("%d packets, %v", n, ok)
			}
			if got, _ := c.seen(); len(got) != i+1 {
				t.Fatalf("%d of %d", len(got), i+1)
			}
		}
	})
}

// A shutdown without patience ends them all the same.
func TestInnerClientsAreCutWithTheirLoop(t *testing.T) {
	inBubble(t, engine.Options{}, func(t *testing.T, k inner) {
		all := []*innerClient{k.mustOpen(), k.mustOpen()}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = k.srv.Shutdown(ctx)
		for _, c := range all {
			if _, ended := c.seen(); ended != engine.ReasonServerShutdown {
				t.Errorf("ended: %v", ended)
			}
		}
	})
}
