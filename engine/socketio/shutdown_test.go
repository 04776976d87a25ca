package socketio_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestShutdownWaitsForHandlers(t *testing.T) {
	t.Parallel()
	server := socketio.New(quiet(socketio.Options{}))
	entered, open := make(chan bool), make(chan bool)
	finished := make(chan string, 2)
	socketio.On(server, "slow", func(ctx ctxt, _ *socketio.Socket, _ struct{}) error {
		entered <- true
		<-ctx.Done()
		<-open
		finished <- "handler"
		return nil
	})
	server.OnDisconnect(func(ctx ctxt, _ *socketio.Socket, _ socketio.Reason) {
		if ctx.Err() != nil {
			t.Error("the context of a disconnect function is done")
		}
		finished <- "goodbye"
	})
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background()) }()
	p, _ := join(t, server.Addr().String())
	p.send(`42["slow"]`)
	receive(t, entered)
	down := make(chan error, 1)
	go func() { down <- server.Shutdown(context.Background()) }()
	p.expectClosed()
	_ = p.conn.Close()
	if len(down)+len(served)+len(finished) > 0 {
		t.Error("did not wait")
	}
	close(open)
	if a, b := receive(t, finished), receive(t, finished); a != "handler" || b != "goodbye" {
		t.Errorf("%s, %s", a, b)
	}
	if a, b := receive(t, down), receive(t, served); a != nil || b != nil {
		t.Errorf("Shutdown = %v, Serve = %v", a, b)
	}
}

func TestShutdownGivesUpInTime(t *testing.T) {
	t.Parallel()
	server := socketio.New(quiet(socketio.Options{}))
	entered, open := make(chan bool), make(chan bool)
	socketio.On(server, "stuck", func(ctxt, *socketio.Socket, struct{}) error { entered <- true; <-open; return nil })
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p, _ := join(t, server.Addr().String())
	p.send(`42["stuck"]`)
	receive(t, entered)
	_ = p.conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown = %v", err)
	}
	close(open)
	eventually(t, "the worker ends", func() bool { return server.Stats().Busy == 0 })
}

// stuck returns a server with a handler that does not return before the test ends.
func stuck(t *testing.T, o socketio.Options) *socketio.Server {
	server := socketio.New(quiet(o))
	entered, open := make(chan bool), make(chan bool)
	socketio.On(server, "stuck", func(ctxt, *socketio.Socket, struct{}) error { entered <- true; <-open; return nil })
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p, _ := join(t, server.Addr().String())
	p.send(`42["stuck"]`)
	receive(t, entered)
	_ = p.conn.Close()
	t.Cleanup(func() {
		close(open)
		eventually(t, "the worker ends", func() bool { return server.Stats().Busy == 0 })
	})
	return server
}

// Each call has its own patience, and the least of it counts for all.
func TestEveryShutdownHasItsOwnContext(t *testing.T) {
	t.Parallel()
	server := stuck(t, socketio.Options{})
	patient := make(chan error, 1)
	go func() { patient <- server.Shutdown(context.Background()) }()
	eventually(t, "the first has begun", func() bool { return errors.Is(server.Emit("x"), socketio.ErrServerClosed) })
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	second := make(chan error, 1)
	go func() { second <- server.Shutdown(ctx) }()
	if len(patient)+len(second) > 0 {
		t.Error("did not wait")
	}
	cancel(reason)
	for _, c := range []<-chan error{second, patient} {
		if err := receive(t, c); !errors.Is(err, reason) {
			t.Errorf("Shutdown = %v", err)
		}
	}
	if err := server.Shutdown(context.Background()); !errors.Is(err, reason) {
		t.Errorf("a third Shutdown = %v", err)
	}
}

func TestServeKeepsItsShutdownTimeout(t *testing.T) {
	t.Parallel()
	server := stuck(t, socketio.Options{ShutdownTimeout: 10 * time.Millisecond})
	ctx, cancel := context.WithCancel(context.Background())
	served, down := make(chan error, 1), make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	go func() { down <- server.Shutdown(context.Background()) }() // which alone would wait for ever
	eventually(t, "the port is closed", func() bool {
		c, err := net.Dial("tcp", server.Addr().String())
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	if len(served)+len(down) > 0 {
		t.Error("did not wait")
	}
	cancel()
	for _, c := range []<-chan error{served, down} {
		if err := receive(t, c); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("err = %v", err)
		}
	}
}

func TestShutdownFromAHandler(t *testing.T) {
	t.Parallel()
	server := socketio.New(quiet(socketio.Options{}))
	down := make(chan error, 1)
	socketio.On(server, "stop", func(ctxt, *socketio.Socket, struct{}) error {
		go func() { down <- server.Shutdown(context.Background()) }()
		return nil
	})
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p, _ := join(t, server.Addr().String())
	p.send(`42["stop"]`)
	p.expectClosed()
	_ = p.conn.Close()
	if err := receive(t, down); err != nil {
		t.Errorf("Shutdown = %v", err)
	}
}

// One that waits for itself ends with its context.
func TestShutdownWithinAHandler(t *testing.T) {
	t.Parallel()
	server := socketio.New(quiet(socketio.Options{}))
	down := make(chan error, 1)
	socketio.On(server, "stop", func(ctx ctxt, _ *socketio.Socket, _ struct{}) error {
		err := server.Shutdown(ctx)
		down <- err
		return err
	})
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p, _ := join(t, server.Addr().String())
	p.send(`42["stop"]`)
	p.expectClosed()
	_ = p.conn.Close()
	if err := receive(t, down); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown = %v", err)
	}
	eventually(t, "the worker ends", func() bool { return server.Stats().Busy == 0 })
}

func TestShutdownWhileListenStarts(t *testing.T) {
	t.Parallel()
	for i := range 100 {
		server := socketio.New(quiet(socketio.Options{}))
		listening := make(chan error, 1)
		begun := make(chan bool)
		go func() {
			close(begun)
			listening <- server.Listen("127.0.0.1:0")
		}()
		<-begun
		for range i % 30 {
			runtime.Gosched()
		}
		if err := server.Shutdown(context.Background()); err != nil {
			t.Fatalf("round %d: Shutdown = %v", i, err)
		}
		if err := receive(t, listening); err != nil && !errors.Is(err, socketio.ErrServerClosed) {
			t.Fatalf("round %d: Listen = %v", i, err)
		}
		if addr := server.Addr(); addr != nil {
			if c, err := net.Dial("tcp", addr.String()); err == nil {
				_ = c.Close()
				t.Fatalf("round %d: accepts after Shutdown", i)
			}
		}
	}
}
