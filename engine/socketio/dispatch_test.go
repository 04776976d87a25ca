package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

type ctxt = context.Context

func TestEventsInOrder(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	const n = 10_000
	var got []int
	done := make(chan bool)
	socketio.On(io, "n", func(_ ctxt, _ *socketio.Socket, i int) error {
		if got = append(got, i); len(got) == n {
			close(done)
		}
		return nil
	})
	p, _ := join(t, start(t, io))
	for i := range n {
		p.send(fmt.Sprintf(`42["n",%d]`, i))
	}
	receive(t, done)
	for i, v := range got {
		if v != i {
			t.Fatalf("event %d in place of %d", v, i)
		}
	}
}

func TestHandlersOfOneSocketDoNotOverlap(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	block := make(chan bool)
	entered := make(chan string, 4)
	socketio.On(io, "block", func(_ ctxt, s *socketio.Socket, name string) error {
		entered <- name
		<-block
		return nil
	})
	socketio.On(io, "after", func(_ ctxt, s *socketio.Socket, _ struct{}) error { return s.Emit("after") })
	addr := start(t, io)
	a, _ := join(t, addr)
	b, _ := join(t, addr)
	a.send(`42["block","a"]`, `42["after"]`)
	b.send(`42["block","b"]`)
	if x, y := receive(t, entered), receive(t, entered); x == y { // different sockets run in parallel
		t.Fatal("entered twice")
	}
	close(block)
	a.expect(`42["after"]`)
}

func TestRegistration(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	var mu sync.Mutex
	var calls []string
	note := func(s string) {
		mu.Lock()
		calls = append(calls, s)
		mu.Unlock()
	}
	on := func(r socketio.Registrar, name string) func() {
		return socketio.On(r, "ev", func(ctxt, *socketio.Socket, struct{}) error { note(name); return nil })
	}
	catch := func(name string) socketio.AnyHandler {
		return func(_ ctxt, _ *socketio.Socket, event string, a socketio.Args) error {
			if event == "ev" {
				note(fmt.Sprint(name, a.Len()))
			}
			return nil
		}
	}
	io.OnAny(catch("any"))
	io.PrependAny(catch("first"))
	io.OnAny(catch("removed"))()
	on(io, "one")
	on(io, "removed")()
	on(io, "two")
	socketio.Once(io, "ev", func(ctxt, *socketio.Socket, struct{}) error { note("once"); return nil })
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error {
		on(s, "own")
		on(s, "removed")()
		s.OnAny(catch("ownAny"))
		s.PrependAny(catch("ownFirst"))
		s.OnAny(catch("removed"))()
		socketio.Once(s, "ev", func(ctxt, *socketio.Socket, struct{}) error { note("ownOnce"); return nil })
		return nil
	})
	socketio.On(io, "end", func(_ ctxt, s *socketio.Socket, _ struct{}) error { return s.Emit("end") })
	p, _ := join(t, start(t, io))
	p.send(`42["ev",1,2]`, `42["ev"]`, `42["end"]`)
	p.expect(`42["end"]`)
	want := "first2 any2 ownFirst2 ownAny2 one two once own ownOnce first0 any0 ownFirst0 ownAny0 one two own"
	mu.Lock()
	defer mu.Unlock()
	if got := strings.Join(calls, " "); got != want {
		t.Errorf("calls:\n %s\nwant\n %s", got, want)
	}
}

func TestOnceRunsOnceAcrossSockets(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	calls := make(chan string, 100)
	socketio.Once(io, "ev", func(_ ctxt, s *socketio.Socket, _ struct{}) error { calls <- s.ID(); return nil })
	socketio.On(io, "end", func(_ ctxt, s *socketio.Socket, _ struct{}) error { return s.Emit("end") })
	addr := start(t, io)
	var peers []*peer
	for range 10 {
		p, _ := join(t, addr)
		peers = append(peers, p)
	}
	for _, p := range peers {
		p.send(`42["ev"]`, `42["end"]`)
	}
	for _, p := range peers {
		p.expect(`42["end"]`)
	}
	if len(calls) != 1 {
		t.Errorf("%d calls", len(calls))
	}
}

func TestErrorsHaveAPlace(t *testing.T) {
	t.Parallel()
	reported := make(chan error, 1)
	io := socketio.New(quiet(socketio.Options{
		OnError: func(_ ctxt, s *socketio.Socket, err error) {
			if s.ID() == "" {
				t.Error("no socket")
			}
			reported <- err
		},
	}))
	cause := errors.New("broken")
	socketio.On(io, "fail", func(ctxt, *socketio.Socket, struct{}) error { return cause })
	socketio.On(io, "int", func(ctxt, *socketio.Socket, int) error { t.Error("ran"); return nil })
	p, _ := join(t, start(t, io))

	p.send(`42["fail"]`)
	var event *socketio.EventError
	if err := receive(t, reported); !errors.As(err, &event) || event.Event != "fail" || !errors.Is(err, cause) {
		t.Errorf("reported %v", err)
	}
	p.send(`42["int","x"]`)
	var arg *socketio.ArgError
	if err := receive(t, reported); !errors.As(err, &arg) || arg.Event != "int" {
		t.Errorf("reported %v", err)
	}
}

func TestPanicCostsOneSocket(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]socketio.HandlerOption{nil, {socketio.Inline}} {
		reported, reason := make(chan error, 1), make(chan socketio.Reason, 1)
		io := socketio.New(quiet(socketio.Options{
			OnError: func(_ ctxt, _ *socketio.Socket, err error) {
				reported <- err
				panic("in OnError, too")
			},
		}))
		socketio.On(io, "panic", func(ctxt, *socketio.Socket, struct{}) error { panic("oh") }, opts...)
		socketio.On(io, "echo", func(_ ctxt, s *socketio.Socket, v string) error { return s.Emit("echo", v) }, opts...)
		io.OnDisconnect(func(_ ctxt, _ *socketio.Socket, r socketio.Reason) { reason <- r })
		addr := start(t, io)
		p, _ := join(t, addr)
		q, _ := join(t, addr)
		p.send(`42["panic"]`)
		var pe *socketio.PanicError
		if err := receive(t, reported); !errors.As(err, &pe) || pe.Value != "oh" || !strings.Contains(string(pe.Stack), "TestPanic") {
			t.Errorf("reported %v", err)
		}
		p.expect("41")
		p.expectClosed()
		if r := receive(t, reason); r != socketio.ReasonServerNamespaceDisconnect {
			t.Errorf("reason %q", r)
		}
		q.send(`42["echo","still here"]`)
		q.expect(`42["echo","still here"]`)
		if n := io.Stats().Panics; n != 1 {
			t.Errorf("%d panics", n)
		}
	}
}

func TestMailboxOverflowCloses(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]socketio.Options{
		"count": {MaxMailbox: 10},
		"bytes": {MaxHTTPBufferSize: 1000, MaxMailboxBytes: 2000},
	} {
		t.Run(name, func(t *testing.T) {
			io := socketio.New(quiet(o))
			open, reason := make(chan bool), make(chan socketio.Reason, 1)
			socketio.On(io, "x", func(ctxt, *socketio.Socket, string) error { <-open; return nil })
			io.OnDisconnect(func(_ ctxt, _ *socketio.Socket, r socketio.Reason) { reason <- r })
			p, _ := join(t, start(t, io))
			for range 12 {
				p.send(`42["x","` + strings.Repeat("y", 300) + `"]`)
			}
			p.expectClosed()
			close(open)
			if r := receive(t, reason); r != socketio.ReasonForcedClose {
				t.Errorf("reason %q", r)
			}
			if st := io.Stats(); st.Overflows != 1 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

func TestInline(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	where := func() string { // the worker pool is nowhere on the loop's stack
		b := make([]byte, 64<<10)
		if strings.Contains(string(b[:runtime.Stack(b, false)]), "engine.(*callbacks)") {
			return "loop"
		}
		return "worker"
	}
	entered, open := make(chan bool), make(chan bool)
	socketio.On(io, "in", func(_ ctxt, s *socketio.Socket, _ struct{}) error { return s.Emit(where()) }, socketio.Inline)
	socketio.On(io, "both", func(_ ctxt, s *socketio.Socket, _ struct{}) error { return s.Emit(where()) }, socketio.Inline)
	socketio.On(io, "both", func(ctxt, *socketio.Socket, struct{}) error { return nil })
	socketio.On(io, "block", func(ctxt, *socketio.Socket, struct{}) error { entered <- true; <-open; return nil })
	p, _ := join(t, start(t, io))
	p.send(`42["in"]`)
	p.expect(`42["loop"]`)
	p.send(`42["both"]`)
	p.expect(`42["worker"]`)
	p.send(`42["block"]`)
	receive(t, entered)
	p.send(`42["in"]`, `40/nope`) // must not overtake; the answer comes from the loop
	p.expect(`44/nope,{"message":"Invalid namespace"}`)
	close(open)
	p.expect(`42["worker"]`)
}

// The end of a socket, which any goroutine may cause, waits for an inline handler.
func TestInlineHandlerIsNotInterrupted(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	goodbye := make(chan bool, 1)
	checked := make(chan bool, 1)
	io.OnDisconnect(func(ctxt, *socketio.Socket, socketio.Reason) { goodbye <- true })
	socketio.On(io, "in", func(ctx ctxt, s *socketio.Socket, _ struct{}) error {
		done := make(chan bool)
		go func() { s.Disconnect(false); close(done) }()
		<-done
		checked <- len(goodbye) == 0 && ctx.Err() != nil
		return nil
	}, socketio.Inline)
	p, _ := join(t, start(t, io))
	p.send(`42["in"]`)
	if !receive(t, checked) {
		t.Error("OnDisconnect ran beside the handler")
	}
	receive(t, goodbye)
	p.expect("41")
}

func TestBinaryEvent(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	kept := make(chan []byte, 1)
	socketio.On(io, "bin", func(_ ctxt, s *socketio.Socket, b []byte) error {
		kept <- b
		return s.Emit("back", b, []byte{})
	})
	p, _ := join(t, start(t, io))
	p.send(`451-["bin",{"_placeholder":true,"num":0}]`)
	p.sendBinary(1, 2, 3)
	p.expect(`452-["back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, "binary:\x01\x02\x03", "binary:")
	if b := receive(t, kept); string(b) != "\x01\x02\x03" {
		t.Errorf("kept %v", b)
	}
}

// MaxHTTPBufferSize bounds each of them, and not all together.
func TestImagesOfOneEvent(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	sizes := make(chan []int, 2)
	socketio.On(io, "images", func(_ ctxt, _ *socketio.Socket, images [][]byte) error {
		var n []int
		for _, b := range images {
			n = append(n, len(b))
		}
		sizes <- n
		return nil
	})
	p, _ := join(t, start(t, io))
	for range 2 {
		p.send(`453-["images",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]]`)
		for range 3 {
			p.sendBinary(make([]byte, 500_000)...)
		}
	}
	for range 2 {
		if got := receive(t, sizes); !slices.Equal(got, []int{500_000, 500_000, 500_000}) {
			t.Errorf("sizes %v", got)
		}
	}
}

func TestAttachmentBytesAreBounded(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{MaxHTTPBufferSize: 1000}))
	p, _ := join(t, start(t, io))
	p.send(`455-["x",1]`) // what they are for is not looked at before all are there
	for range 5 {
		p.sendBinary(make([]byte, 801)...) // 4 times 1,000 are allowed
	}
	p.expectClosed()
}

// However small MaxMailboxBytes is, one event fits.
func TestOneEventFitsIntoTheMailbox(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{MaxMailboxBytes: 100}))
	entered, open := make(chan int), make(chan bool)
	socketio.On(io, "x", func(_ ctxt, _ *socketio.Socket, v string) error { entered <- len(v); <-open; return nil })
	p, _ := join(t, start(t, io))
	packet := `42["x","` + strings.Repeat("y", 5000) + `"]`
	p.send(packet)
	receive(t, entered)
	p.send(packet, "40/nope") // behind the one whose handler runs
	p.expect(`44/nope,{"message":"Invalid namespace"}`)
	close(open)
	if n := receive(t, entered); n != 5000 {
		t.Errorf("%d bytes", n)
	}
}

func TestErrorsNameTheirEvent(t *testing.T) {
	t.Parallel()
	errs := make(chan error, 9)
	io := socketio.New(quiet(socketio.Options{OnError: func(_ ctxt, _ *socketio.Socket, err error) { errs <- err }}))
	socketio.On(io, "dynamic", func(_ ctxt, _ *socketio.Socket, a socketio.Args) error {
		var n int
		return a.Decode(&n)
	})
	socketio.On(io, "typed", func(ctxt, *socketio.Socket, int) error { return nil })
	ask := socketio.Call[int, int]("ask")
	socketio.On(io, "nested", func(ctx ctxt, s *socketio.Socket, _ struct{}) error {
		_, err := ask.Ask(ctx, s, 1)
		return err
	})
	io.OnAny(func(_ ctxt, _ *socketio.Socket, event string, a socketio.Args) error {
		var n int
		if event == "seen" {
			return a.Decode(&n)
		}
		return nil
	})
	p, _ := join(t, start(t, io))
	p.send(`42["dynamic","str"]`, `42["typed","str"]`, `42["seen","str"]`, `42["nested"]`)
	p.expect(`420["ask",1]`)
	p.send(`430["str"]`)
	for _, want := range []string{"dynamic", "typed", "seen"} {
		err := receive(t, errs)
		var arg *socketio.ArgError
		var event *socketio.EventError
		if !errors.As(err, &arg) || arg.Event != want || errors.As(err, &event) {
			t.Errorf("%s: reported %v", want, err)
		}
	}
	err := receive(t, errs)
	var event *socketio.EventError
	var arg *socketio.ArgError
	if !errors.As(err, &event) || event.Event != "nested" || !errors.As(err, &arg) || arg.Event != "ask" {
		t.Errorf("nested: reported %v", err)
	}
}
