package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestContextEndsWithTheSocket(t *testing.T) {
	t.Parallel()
	c := gather(t, 1)
	s := c.sockets[0]
	ctx := s.Context()
	if ctx.Err() != nil || ctx.Value("x") != nil || !strings.Contains(fmt.Sprint(ctx), s.ID()) {
		t.Error("a fresh context is not fresh")
	}
	if _, ok := ctx.Deadline(); ok {
		t.Error("a deadline")
	}
	derived, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	ran := make(chan bool, 2)
	stop := context.AfterFunc(ctx, func() { ran <- true })
	stopped := context.AfterFunc(ctx, func() { t.Error("ran after stop") })
	if !stopped() || stopped() {
		t.Error("stop")
	}
	s.Disconnect(false)
	receive(t, ctx.Done())
	receive(t, derived.Done())
	receive(t, ran)
	if stop() {
		t.Error("stopped what has run")
	}
	for _, ctx := range []context.Context{ctx, derived} {
		if !errors.Is(ctx.Err(), context.Canceled) || !errors.Is(context.Cause(ctx), context.Canceled) {
			t.Errorf("err = %v", ctx.Err())
		}
	}
	late := context.AfterFunc(ctx, func() { ran <- true })
	receive(t, ran)
	if late() {
		t.Error("stopped what has run")
	}
	receive(t, s.Context().Done())
	if d, cancel := context.WithCancel(ctx); d.Err() == nil {
		cancel()
		t.Error("derived of a done context is not done")
	} else {
		cancel()
	}
}

func TestContextNeedsNoGoroutine(t *testing.T) {
	s := gather(t, 1).sockets[0]
	eventually(t, "worker at rest", func() bool { return !socketio.Scheduled(s) })
	before := runtime.NumGoroutine()
	var cancels []context.CancelFunc
	for range 100 {
		_, cancel := context.WithCancel(s.Context())
		cancels = append(cancels, cancel)
	}
	if n := runtime.NumGoroutine() - before; n > 10 {
		t.Errorf("%d goroutines for 100 contexts", n)
	}
	for _, cancel := range cancels {
		cancel()
	}
}

func TestIdleSocketNeedsNothing(t *testing.T) {
	io := socketio.New(quiet(socketio.Options{}))
	sockets := make(chan *socketio.Socket, 1)
	io.OnConnect(func(ctx ctxt, s *socketio.Socket) error {
		defer func() { sockets <- s }()
		return ctx.Err()
	})
	io.OnDisconnect(func(ctxt, *socketio.Socket, socketio.Reason) {})
	socketio.On(io, "echo", func(_ ctxt, s *socketio.Socket, v string) error { return s.Emit("echo", v) })
	p := dial(t, start(t, io))
	p.send(`40{"token":"x"}`)
	p.sid("40")
	s := receive(t, sockets)
	p.send(`42["echo","x"]`)
	p.expect(`42["echo","x"]`)
	_ = io.Emit("all")
	p.expect(`42["all"]`)
	eventually(t, "mailbox given back", func() bool { return !socketio.Scheduled(s) })
	if socketio.HasRare(s) || socketio.HasRequest(s) {
		t.Errorf("rare part: %v, request: %v", socketio.HasRare(s), socketio.HasRequest(s))
	}
	if n := testing.AllocsPerRun(100, func() {
		if s.Context().Err() != nil {
			t.Error("done")
		}
	}); n != 0 {
		t.Errorf("a context costs %v allocations", n)
	}
}

func TestAContextWithAnErrorIsDone(t *testing.T) {
	t.Parallel()
	s := gather(t, 1).sockets[0]
	var all sync.WaitGroup
	const pending = 1000 // acknowledgements, so that telling all who wait takes its time
	for range pending {
		all.Go(func() { _, _ = s.EmitWithAck(context.Background(), "x") })
	}
	eventually(t, "all are pending", func() bool { return socketio.PendingAcks(s) == pending })
	ctx := s.Context()
	done := ctx.Done()
	all.Go(func() {
		for ctx.Err() == nil {
			runtime.Gosched()
		}
		select {
		case <-done:
		default:
			t.Error("an error, but not done")
		}
	})
	s.Disconnect(false)
	all.Wait()
}

func TestSocketWithoutHandlersNeedsNothing(t *testing.T) {
	t.Parallel()
	s := gather(t, 1).sockets[0]
	catch := func(ctxt, *socketio.Socket, string, socketio.Args) error { return nil }
	for _, remove := range []func(){
		socketio.On(s, "x", func(ctxt, *socketio.Socket, int) error { return nil }),
		s.OnAny(catch), s.PrependAny(catch), s.OnAnyOutgoing(func(string, []any) {}),
	} {
		if !socketio.HasRare(s) {
			t.Error("no handlers registered")
		}
		remove()
		remove()
	}
	if socketio.HasRare(s) {
		t.Error("kept the table of handlers that were removed")
	}
}
