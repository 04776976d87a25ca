package engine_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// shutdown ends the server before the test does.
func (f *fixture) shutdown(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return f.srv.Shutdown(ctx)
}

// quiet is a server that nothing is told of.
func quiet(t *testing.T, o engine.Options) *engine.Server {
	t.Helper()
	f := &fixture{t: t, all: make(map[string]*recorder)}
	f.came = sync.NewCond(&f.mu)
	o.Accept, o.Logger = f.accept, slog.New(slog.DiscardHandler)
	srv, err := engine.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return srv
}

// answers requires that a server serves at addr.
func answers(t *testing.T, addr string) {
	t.Helper()
	f := &fixture{t: t, addr: addr}
	if r := f.dial().do("GET", "/socket.io/", ""); r.StatusCode != http.StatusBadRequest {
		t.Fatalf("%s: %s", addr, r.Status)
	}
}

func TestASecondServerOnThePortIsRefusedAtOnce(t *testing.T) {
	f := start(t, engine.Options{})
	for _, addr := range []string{f.addr, f.addr[strings.LastIndex(f.addr, ":"):]} {
		second := quiet(t, engine.Options{Handler: http.NotFoundHandler()})
		err := second.Listen(addr)
		if !errors.Is(err, engine.ErrAddressInUse) || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "choose another port") {
			t.Errorf("Listen(%q): %v", addr, err)
		}
		if err := second.Serve(); !errors.Is(err, engine.ErrNotListening) {
			t.Errorf("Serve after that: %v", err)
		}
		if err := second.Listen("127.0.0.1:0"); err != nil {
			t.Fatalf("listening elsewhere after that: %v", err)
		}
		answers(t, second.Addr().String())
		if err := second.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := f.srv.Listen("127.0.0.1:0"); !errors.Is(err, engine.ErrListening) {
		t.Errorf("a second Listen: %v", err)
	}
	answers(t, f.addr)
}

func TestThePortIsFreeAfterShutdown(t *testing.T) {
	first := quiet(t, engine.Options{})
	addr := "127.0.0.1:0"
	for srv := first; ; srv = quiet(t, engine.Options{}) {
		if err := srv.Listen(addr); err != nil {
			t.Fatal(err)
		}
		addr = srv.Addr().String()
		answers(t, addr)
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if srv != first {
			break
		}
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
}

func TestBadAddressesAreErrors(t *testing.T) {
	for _, addr := range []string{"", "x", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:http2000", "256.0.0.1:80", "192.0.2.1:0", ":-1"} {
		srv := quiet(t, engine.Options{})
		switch err := srv.Listen(addr); {
		case addr == "":
			// net.Listen takes the empty address for any free port, and so do we.
			if err == nil {
				_ = srv.Shutdown(t.Context())
			}
		case err == nil:
			t.Errorf("Listen(%q) listens on %v", addr, srv.Addr())
			_ = srv.Shutdown(t.Context())
		case errors.Is(err, engine.ErrAddressInUse) || !strings.HasPrefix(err.Error(), "engine: ") || !strings.Contains(err.Error(), addr):
			t.Errorf("Listen(%q): %v", addr, err)
		}
		if err := srv.Shutdown(t.Context()); addr != "" && !errors.Is(err, engine.ErrNotListening) {
			t.Errorf("Shutdown after a failed Listen(%q): %v", addr, err)
		}
	}
}

// Clients that reconnect to a restarted server come before Listen has returned.
func TestTheFirstConnectionFindsTheHandler(t *testing.T) {
	for range 5 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := ln.Addr().String()
		_ = ln.Close()
		got := make(chan string)
		go func() {
			for {
				nc, err := net.Dial("tcp", addr)
				if err != nil {
					continue // nobody listens yet
				}
				_ = nc.SetDeadline(time.Now().Add(patience))
				_, _ = io.WriteString(nc, "GET / HTTP/1.0\r\n\r\n")
				b, _ := io.ReadAll(nc)
				_ = nc.Close()
				if len(b) > 0 { // else it met the probe for the address
					got <- string(b)
					return
				}
			}
		}()
		srv := quiet(t, engine.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "page of "+addr)
		})})
		if err := srv.Listen(addr); err != nil {
			t.Fatal(err)
		}
		if b := receive(t, got); !strings.HasSuffix(b, "page of "+addr) {
			t.Errorf("the first client got %q", b)
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestShutdownBeforeListenIsAnError(t *testing.T) {
	srv := quiet(t, engine.Options{})
	if err := srv.Shutdown(t.Context()); !errors.Is(err, engine.ErrNotListening) {
		t.Errorf("Shutdown: %v", err)
	}
	if err := srv.Serve(); !errors.Is(err, engine.ErrNotListening) {
		t.Errorf("Serve: %v", err)
	}
	if err := srv.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if err := srv.Serve(); err != nil {
		t.Errorf("Serve after Shutdown: %v", err)
	}
}

func TestShutdownMayBeCalledByManyAndAgain(t *testing.T) {
	f := start(t, engine.Options{})
	c, _ := f.openWS()
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if err := f.shutdown(patience); err != nil {
				t.Error(err)
			}
		})
	}
	c.closes(1005)
	all.Wait()
	if err := f.shutdown(patience); err != nil {
		t.Error(err)
	}
}

// A Receiver that is told of the end may shut everything down from there.
func TestShutdownFromAReceiver(t *testing.T) {
	ready, done := make(chan *fixture, 1), make(chan error, 1)
	f := start(t, engine.Options{}, func(f *fixture) {
		f.onText = func(*recorder, string) error {
			go func() { done <- (<-ready).shutdown(patience) }()
			return nil
		}
	})
	ready <- f
	c, _ := f.openWS()
	c.sendText("4stop")
	c.closes(1005)
	if err := receive(t, done); err != nil {
		t.Error(err)
	}
}

// What does not end in time is cut off, and Shutdown says so.
func TestShutdownIsBoundedByItsContext(t *testing.T) {
	inside, outside := make(chan struct{}), make(chan struct{})
	f := start(t, engine.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(inside)
		<-outside
	})})
	c := f.dial()
	c.request("GET", "/stuck", "")
	<-inside
	first, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.srv.Shutdown(first) }()
	until(t, "Shutdown is under way", func() bool {
		_, err := net.DialTimeout("tcp", f.addr, patience)
		return err != nil || f.srv.Stats().Refused > 0
	})
	impatient, stop := context.WithCancel(t.Context())
	stop()
	if err := f.srv.Shutdown(impatient); !errors.Is(err, context.Canceled) {
		t.Errorf("a second Shutdown: %v", err)
	}
	cancel()
	if err := receive(t, ended); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	c.eof()
	close(outside)
	until(t, "the handler's connection is counted off", func() bool { return f.srv.Stats().Handed == 0 })
}

// A client that answers no close frame is cut off after CloseTimeout, not after
// the caller's patience.
func TestShutdownDoesNotWaitForSilentClients(t *testing.T) {
	f := start(t, engine.Options{CloseTimeout: 100 * time.Millisecond})
	silent, o := f.openWS()
	poll, p := f.openPolling()
	held := f.dial()
	held.request("GET", pollURL+"&sid="+p.SID, "")
	until(t, "held", func() bool { return f.session(p.SID).s.PollState().Get })
	half := f.dial()
	half.write("GET /socket.io/?EI")
	body := f.dial()
	body.write("POST " + pollURL + "&sid=" + p.SID + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4ab")
	until(t, "in mid-body", func() bool { return f.session(p.SID).s.PollState().Post })
	fresh := f.dial()
	until(t, "all are open", func() bool { return f.srv.Stats().Connections == 6 })
	if err := f.shutdown(patience); err != nil {
		t.Error(err)
	}
	f.session(o.SID).ended(t, engine.ReasonServerShutdown)
	f.session(p.SID).ended(t, engine.ReasonServerShutdown)
	if b := held.read("GET"); b.body != "1" || !b.Close {
		t.Errorf("the held poll got %q", b.body)
	}
	silent.closeCode()
	for _, c := range []*rawConn{silent.rawConn, poll, held, half, body, fresh} {
		c.eof()
	}
}

func TestServeReportsThatTheLoopsDied(t *testing.T) {
	srv := quiet(t, engine.Options{Handler: http.NotFoundHandler()})
	if err := srv.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	f := &fixture{t: t, srv: srv, addr: srv.Addr().String()}
	served := make(chan error, 1)
	go func() { served <- srv.Serve() }()
	c := f.upgradeWS(wsURL)
	c.text()
	srv.StopBehindItsBack()
	if err := receive(t, served); !errors.Is(err, engine.ErrLoopsDied) {
		t.Errorf("Serve: %v", err)
	}
	c.eof()
	if err := f.shutdown(patience); err != nil {
		t.Errorf("Shutdown after that: %v", err)
	}
	if err := srv.Serve(); !errors.Is(err, engine.ErrLoopsDied) {
		t.Errorf("Serve once more: %v", err)
	}
}

func TestSilentConnectionsAreClosed(t *testing.T) {
	f := start(t, engine.Options{HeaderTimeout: 100 * time.Millisecond, IdleTimeout: 100 * time.Millisecond})
	var all []*rawConn
	for _, sent := range []string{"", "G", "GET / HTTP/1.1\r\n", "GET " + pollURL + " HTTP/1.1\r\nHost: x\r\n\r\n"} {
		for range 5 {
			c := f.dial()
			c.write(sent)
			all = append(all, c)
			if strings.HasSuffix(sent, "\r\n\r\n") {
				c.read("GET")
			}
		}
	}
	for _, c := range all {
		c.eof()
	}
	until(t, "no connection is left", func() bool { return f.srv.Stats().Connections == 0 })
}

// A head that comes drop by drop does not move its deadline.
func TestADrippingHeadIsClosed(t *testing.T) {
	k := startFake(t, 1, engine.Options{HeaderTimeout: 100 * time.Millisecond})
	c := k.connect(0)
	for _, b := range requestText("GET", pollURL, "", "")[:20] {
		c.deliver([]byte{b})
		k.advance(engine.TickLength)
	}
	if !c.closed {
		t.Error("still open after 200 ms")
	}
}

// A deadline is each request's own, also where requests follow without a pause.
func TestEveryPipelinedBodyHasItsOwnTime(t *testing.T) {
	k := startFake(t, 1, engine.Options{BodyTimeout: 100 * time.Millisecond, HeaderTimeout: 100 * time.Millisecond})
	c, r := k.openPolling(0)
	post := string(requestText("POST", pollURL+"&sid="+r.s.ID(), "Content-Length: 3\r\n", "4ab"))
	stream := strings.Repeat(post, 11)
	step := len(post)
	for at := len(post) - 1; at+step < len(stream); at += step { // always one byte short
		c.deliver([]byte(stream[max(0, at-step):at]))
		k.advance(50 * time.Millisecond)
		if c.closed {
			t.Fatalf("closed after %d requests", len(r.texts))
		}
	}
	if len(r.texts) < 9 {
		t.Errorf("%d requests served", len(r.texts))
	}
}
