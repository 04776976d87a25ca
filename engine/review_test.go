package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
)

// A target whose path is not the engine's as it stands, but is once decoded and
// written again, must not travel between loop and net/http for ever.
func TestARequestDoesNotGoToAndFro(t *testing.T) {
	f := start(t, engine.Options{Loops: 1, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "page "+r.RequestURI)
	})})
	for _, target := range []string{"http://h/socket%2eio/{", "http://h/socket.io%2f{", "http://h?/socket.io/", "/socket%2eio/"} {
		c := f.dial()
		c.write("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n")
		if r := c.read("GET"); r.body != "page "+target {
			t.Errorf("%s: %s %q", target, r.Status, r.body)
		}
	}
	if n := f.srv.Stats().Accepted; n > 10 {
		t.Errorf("%d arrivals at the loop", n)
	}
}

// A peer that probes again and again, and takes no answer, is answered as far as a
// control queue goes, and no further.
func TestAProbeFloodIsBounded(t *testing.T) {
	f := start(t, engine.Options{SendBuffer: 4096})
	_, o := f.openPolling()
	w := f.upgradeWS(wsURL + "&sid=" + o.SID)
	_ = w.Conn.(*net.TCPConn).SetReadBuffer(4096)
	var one bytes.Buffer
	if err := gobwas.WriteFrame(&one, gobwas.MaskFrameInPlace(gobwas.NewTextFrame([]byte("2probe")))); err != nil {
		t.Fatal(err)
	}
	flood := bytes.Repeat(one.Bytes(), 4096)
	before := heapInUse()
	for range 100 { // 5 MB; answered one by one they would keep some 18 MB
		if _, err := w.Write(flood); err != nil {
			t.Fatal(err)
		}
	}
	if grown := heapInUse() - before; grown > 8<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
}

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Whoever takes what it is sent gets a message of any size.
func TestAMessageOverTheMarkReachesAClientThatWaits(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	f := start(t, engine.Options{})
	c, o := f.openPolling()
	c.request("GET", pollURL+"&sid="+o.SID, "")
	f.session(o.SID).send(big)
	if got := c.read("GET").body; got != "4"+big {
		t.Errorf("polling: %d bytes, %.10q", len(got), got)
	}
	w, o := f.openWS()
	f.session(o.SID).send(big)
	if got := w.text(); got != "4"+big {
		t.Errorf("websocket: %d bytes", len(got))
	}
}

// An answer larger than mark and kernel buffer together arrives whole.
func TestABigAnswerIsNotCut(t *testing.T) {
	f := start(t, engine.Options{SendBuffer: 4096})
	c, o := f.openPolling()
	r := f.session(o.SID)
	binary := make([]byte, 100_000)
	for range 10 {
		fr := engine.NewFrame(0)
		fr.End(append(fr.Begin(), "51-[{}]"...))
		fr.AppendBinary(binary)
		r.s.Send(fr)
		fr.Release()
	}
	for r.s.PollState().Queued < 10 {
		runtime.Gosched()
	}
	const want = 10*(len("451-[{}]")+1+len("b")+(100_000+2)/3*4) + 9
	if got := len(c.do("GET", pollURL+"&sid="+o.SID, "").body); got != want {
		t.Errorf("%d bytes of %d", got, want)
	}
}

// A loop that something blocks does not hold Serve or a second Shutdown.
func TestABlockedLoopDoesNotHoldServe(t *testing.T) {
	block := make(chan struct{})
	blocked := make(chan struct{})
	var once sync.Once
	srv, err := engine.New(engine.Options{Logger: slog.New(slog.DiscardHandler), Accept: func(*engine.Session) engine.Receiver {
		once.Do(func() { close(blocked); <-block })
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve() }()
	f := &fixture{t: t, srv: srv, addr: srv.Addr().String()}
	f.dial().request("GET", pollURL, "")
	receive(t, blocked)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := srv.Shutdown(ctx); !errors.Is(err, engine.ErrLoopStuck) {
		t.Errorf("Shutdown: %v", err)
	}
	if err := receive(t, served); !errors.Is(err, engine.ErrLoopStuck) {
		t.Errorf("Serve: %v", err)
	}
	if err := srv.Shutdown(context.Background()); !errors.Is(err, engine.ErrLoopStuck) {
		t.Errorf("second Shutdown: %v", err)
	}
	close(block)
}

// Shutdown waits for a Listen in progress: either it stops the server, or there is
// none.
func TestShutdownDuringListenLeavesNoServer(t *testing.T) {
	for range 20 {
		f := &fixture{t: t}
		srv, err := engine.New(engine.Options{Logger: slog.New(slog.DiscardHandler), Accept: f.accept, Handler: http.NotFoundHandler()})
		if err != nil {
			t.Fatal(err)
		}
		listened := make(chan error, 1)
		go func() { listened <- srv.Listen("127.0.0.1:0") }()
		for {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			err := srv.Shutdown(ctx)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, engine.ErrNotListening) {
				t.Fatal(err)
			}
			runtime.Gosched()
		}
		if err := receive(t, listened); err != nil {
			t.Fatal(err)
		}
		if err := srv.Serve(); err != nil {
			t.Fatal(err)
		}
	}
}

// Pipelined requests behind a held poll are served after its answer, in order.
func TestWhatWaitsBehindAPollIsServedAfterIt(t *testing.T) {
	f := start(t, engine.Options{})
	c, o := f.openPolling()
	url := pollURL + "&sid=" + o.SID
	c.write("GET " + url + " HTTP/1.1\r\nHost: h\r\n\r\nPOST " + url + " HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n4aGET " + url + " HTTP/1.1\r\nHost: h\r\n\r\n")
	r := f.session(o.SID)
	r.send("first")
	if got := c.read("GET").body; got != "4first" {
		t.Fatalf("%q", got)
	}
	if got := c.read("POST").body; got != "ok" {
		t.Fatalf("%q", got)
	}
	if got := receive(t, r.texts); got != "a" {
		t.Fatalf("%q", got)
	}
	r.send("second")
	if got := c.read("GET").body; got != "4second" {
		t.Fatalf("%q", got)
	}
}
