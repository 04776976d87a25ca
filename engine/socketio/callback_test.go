package socketio_test

import (
	"errors"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestACallbackIsCalledLaterAndOnce(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	kept := make(chan socketio.Callback[string], 2)
	socketio.OnCallback(io, "later", func(_ ctxt, _ *socketio.Socket, _ struct{}, cb socketio.Callback[string]) error {
		kept <- cb
		return nil
	})
	socketio.OnAck(io, "now", func(_ ctxt, _ *socketio.Socket, _ struct{}) (string, error) { return "now", nil })
	p, _ := join(t, start(t, io))
	p.send(`427["later"]`, `428["now"]`)
	p.expect(`438["now"]`)
	cb := receive(t, kept)
	if !cb.Wanted() {
		t.Error("the client asked")
	}
	for range 2 {
		if err := cb.Reply("done"); err != nil {
			t.Error(err)
		}
	}
	if cb.Wanted() {
		t.Error("it was answered")
	}
	p.send(`429["now"]`)
	p.expect(`437["done"]`, `439["now"]`)

	p.send(`42["later"]`)
	if cb := receive(t, kept); cb.Wanted() || cb.Reply("nobody asked") != nil {
		t.Error("a callback that nobody waits for")
	}
	p.send(`4210["now"]`)
	p.expect(`4310["now"]`)
}

func TestACallbackThatCannotBeEncodedIsStillOwed(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	socketio.OnCallback(io, "x", func(_ ctxt, _ *socketio.Socket, _ struct{}, cb socketio.Callback[any]) error {
		if err := cb.Reply(make(chan int)); err == nil || !cb.Wanted() {
			t.Errorf("a channel was sent: %v", err)
		}
		return cb.Reply("second try")
	})
	p, _ := join(t, start(t, io))
	p.send(`420["x"]`)
	p.expect(`430["second try"]`)
}

func TestErrorsOfCallbackHandlersAreThoseOfOnAck(t *testing.T) {
	t.Parallel()
	reported := make(chan error, 4)
	io := socketio.New(quiet(socketio.Options{
		OnError:  func(_ ctxt, _ *socketio.Socket, err error) { reported <- err },
		AckError: func(err error) (any, bool) { return "refused", err.Error() == "no" },
	}))
	socketio.OnCallback(io, "x", func(_ ctxt, _ *socketio.Socket, why string, cb socketio.Callback[string]) error {
		if why == "replied" {
			return errors.Join(cb.Reply("first"), errors.New("no"))
		}
		return errors.New(why)
	})
	// The first handler has the acknowledgement, and keeps it.
	socketio.OnAck(io, "x", func(_ ctxt, _ *socketio.Socket, _ string) (string, error) { return "not mine", nil })
	p, _ := join(t, start(t, io))
	p.send(`420["x","no"]`, `421["x","replied"]`, `422["x","hidden"]`, `423["x",17]`, `424["x","no"]`)
	p.expect(`430["refused"]`, `431["first"]`, `434["refused"]`)
	if err := receive(t, reported); !errors.As(err, new(*socketio.EventError)) {
		t.Errorf("reported %v", err)
	}
	if err := receive(t, reported); !errors.As(err, new(*socketio.ArgError)) {
		t.Errorf("reported %v", err)
	}
}
