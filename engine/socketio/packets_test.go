package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

var errNo = errors.New("no")

// Catch-alls, then packet middlewares, then handlers; of each the namespace's first.
func TestPacketMiddlewareOrder(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]socketio.HandlerOption{nil, {socketio.Inline}} {
		io := socketio.New(quiet(socketio.Options{}))
		steps := make(chan string, 100)
		step := func(name string) socketio.AnyHandler {
			return func(_ ctxt, _ *socketio.Socket, event string, args socketio.Args) error {
				steps <- name + " " + event + args.String()
				return nil
			}
		}
		handler := func(name string) func(ctxt, *socketio.Socket, socketio.Args) error {
			return func(_ ctxt, _ *socketio.Socket, a socketio.Args) error { steps <- name; return nil }
		}
		socketio.On(io, "ev", handler("handler of all"), opts...)
		io.UsePacket(step("use of all"), opts...)
		io.OnAny(step("any of all"), opts...)
		io.UsePacket(step("removed"), opts...)()
		ready := make(chan bool, 1)
		io.OnConnect(func(_ ctxt, s *socketio.Socket) error {
			socketio.On(s, "ev", handler("own handler"), opts...)
			s.Use(step("own use"), opts...)
			s.Use(step("removed"), opts...)()
			s.OnAny(step("own any"), opts...)
			ready <- true
			return nil
		})
		p, _ := join(t, start(t, io))
		receive(t, ready)
		p.send(`42["ev",1]`, `42["nobody"]`)
		for _, want := range []string{
			"any of all ev[1]", "own any ev[1]", "use of all ev[1]", "own use ev[1]", "handler of all", "own handler",
			"any of all nobody[]", "own any nobody[]", "use of all nobody[]", "own use nobody[]",
		} {
			if got := receive(t, steps); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	}
}

// Node: the error goes to the socket's "error" event, and the client is told nothing.
func TestPacketMiddlewareRefuses(t *testing.T) {
	t.Parallel()
	faults := make(chan error, 10)
	io := socketio.New(quiet(socketio.Options{OnError: func(_ ctxt, _ *socketio.Socket, err error) { faults <- err }}))
	io.UsePacket(func(_ ctxt, s *socketio.Socket, event string, args socketio.Args) error {
		var n int
		if err := args.Decode(&n); err != nil {
			return err
		}
		if n < 0 {
			return errNo
		}
		return nil
	})
	io.UsePacket(func(_ ctxt, s *socketio.Socket, event string, _ socketio.Args) error {
		if event == "kick" {
			s.Disconnect(false)
		}
		return nil
	})
	for _, event := range []socketio.Call[int, int]{"ev", "kick"} {
		socketio.OnAck(io, event, func(_ ctxt, _ *socketio.Socket, n int) (int, error) {
			if n != 1 {
				t.Errorf("%s %d reached its handler", event, n)
			}
			return n, nil
		})
	}
	p, _ := join(t, start(t, io))
	p.send(`421["ev",-1]`, `422["ev","x"]`, `423["ev",1]`, `424["kick",2]`)
	p.expect(`433[1]`, `41`)
	var event *socketio.EventError
	if err := receive(t, faults); !errors.Is(err, errNo) || !errors.As(err, &event) || event.Event != "ev" {
		t.Errorf("refused: %v", err)
	}
	var arg *socketio.ArgError
	if err := receive(t, faults); !errors.As(err, &arg) || arg.Event != "ev" {
		t.Errorf("wrong type: %v", err)
	}
}

func TestOnErrorOfASocket(t *testing.T) {
	t.Parallel()
	faults := make(chan string, 10)
	io := socketio.New(quiet(socketio.Options{OnError: func(_ ctxt, _ *socketio.Socket, err error) { faults <- "all: " + err.Error() }}))
	socketio.On(io, "fail", func(ctxt, *socketio.Socket, socketio.Args) error { return errNo })
	socketio.On(io, "panic", func(ctxt, *socketio.Socket, socketio.Args) error { panic("oh") })
	socketio.On(io, "number", func(ctxt, *socketio.Socket, int) error { return nil })
	removes := make(chan func(), 1)
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error {
		removes <- s.OnError(func(_ context.Context, err error) { faults <- "own: " + err.Error() })
		return nil
	})
	p, _ := join(t, start(t, io))
	remove := receive(t, removes)
	want := func(want string) {
		t.Helper()
		if got := receive(t, faults); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	p.send(`42["fail"]`, `42["number",{}]`)
	want(`own: socketio: handler of "fail": no`)
	want(`own: socketio: event "number": json: cannot unmarshal object into Go value of type int`)
	remove()
	p.send(`42["fail"]`, `42["panic"]`)
	want(`all: socketio: handler of "fail": no`)
	want("all: socketio: panic in a handler: oh")
	if n := io.Stats().Errors; n != 4 {
		t.Errorf("%d errors counted", n)
	}
}

func TestOffRemovesWhatIsRegisteredThere(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	calls := make(chan string, 100)
	handler := func(name string) func(ctxt, *socketio.Socket, socketio.Args) error {
		return func(ctxt, *socketio.Socket, socketio.Args) error { calls <- name; return nil }
	}
	catch := func(name string) socketio.AnyHandler {
		return func(ctxt, *socketio.Socket, string, socketio.Args) error { calls <- name; return nil }
	}
	sockets := make(chan *socketio.Socket, 1)
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error {
		for _, r := range []struct {
			socketio.Registrar
			name string
		}{{io, "all "}, {s, "own "}} {
			for _, event := range []socketio.Event[socketio.Args]{"a", "b", "c"} {
				socketio.On(r, event, handler(r.name+string(event)))
			}
			socketio.On(r, "a", handler(r.name+"a again"))
		}
		io.OnAny(catch("all any"))
		s.PrependAny(catch("own any"))
		sockets <- s
		return nil
	})
	p, _ := join(t, start(t, io))
	s := receive(t, sockets)
	id := 0
	expect := func(want ...string) {
		t.Helper()
		id++
		p.send(`42["a"]`, `42["b"]`, `42["c"]`)
		for _, want := range want {
			if got := receive(t, calls); got != want {
				t.Fatalf("%q, want %q", got, want)
			}
		}
		p.expectNothing(t, s)
		if len(calls) > 0 {
			t.Fatalf("%q as well", <-calls)
		}
	}
	names := func(who string, got, want []string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", who, got, want)
		}
	}
	names("own", s.EventNames(), []string{"a", "b", "c"})
	names("all", io.EventNames(), []string{"a", "b", "c"})
	io.OffAny()
	s.OffAny()
	s.Off("a", "never")
	io.Off("b")
	expect("all a", "all a again", "own b", "all c", "own c")
	names("own", s.EventNames(), []string{"b", "c"})
	names("all", io.EventNames(), []string{"a", "c"})
	s.Off()
	expect("all a", "all a again", "all c")
	io.Off()
	expect()
	names("own", s.EventNames(), nil)
	names("all", io.EventNames(), nil)
}

// expectNothing waits until the server has worked off all that p has sent.
func (p *peer) expectNothing(t *testing.T, s *socketio.Socket) {
	t.Helper()
	done := make(chan bool, 1)
	remove := socketio.On(s, "$done", func(ctxt, *socketio.Socket, socketio.Args) error { done <- true; return nil })
	defer remove()
	p.send(`42["$done"]`)
	receive(t, done)
}

// A child's handlers are not its parent's to remove.
func TestOffOfAParent(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	rooms := io.OfPattern(anyRoom)
	one := io.Of("/room-1")
	quiet := func(ctxt, *socketio.Socket, socketio.Args) error { return nil }
	socketio.On(rooms, "ev", quiet)
	socketio.On(one, "ev", quiet)
	socketio.On(rooms, "all", quiet)
	rooms.Off()
	if got := [][]string{rooms.EventNames(), one.EventNames(), io.Of("/room-2").EventNames()}; fmt.Sprint(got) != "[[] [ev] []]" {
		t.Errorf("left: %v", got)
	}
}

// As in Node, a socket's listener sees broadcasts that the socket is sent; here, those
// of this server.
func TestOnAnyOutgoingOfASocketSeesBroadcasts(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	rooms := io.OfPattern(anyRoom)
	var seen []string
	sockets := make(chan *socketio.Socket, 2)
	rooms.OnConnect(func(_ ctxt, s *socketio.Socket) error {
		err := s.Join("r")
		sockets <- s
		return err
	})
	p := dial(t, start(t, io))
	enter(p, "40/room-1", "40/room-1,")
	s := receive(t, sockets)
	enter(p, "40/room-2", "40/room-2,")
	other := receive(t, sockets)
	n := s.Namespace()
	n.OnAnyOutgoing(func(event string, args []any) { seen = append(seen, "all "+event) })
	s.OnAnyOutgoing(func(event string, args []any) { seen = append(seen, fmt.Sprint(event, args)) })
	removeFirst := s.PrependAnyOutgoing(func(event string, args []any) { seen = append(seen, "first") })
	_ = n.Emit("1", 1)
	removeFirst()
	_ = n.To("r").Emit("2")
	_ = n.To("x", s.ID()).Emit("3")
	_ = rooms.To("r").Emit("4")
	_ = n.To("x").Emit("not")
	_ = n.Except("r").Emit("not")
	_ = s.Broadcast().Emit("not")
	_ = other.Namespace().Emit("unseen")
	_ = s.Emit("5")
	want := []string{"all 1", "first", "1[1]", "all 2", "2[]", "all 3", "3[]", "all 4", "4[]", "all not", "all not", "all not", "5[]", "all 5"}
	if !slices.Equal(seen, want) {
		t.Errorf("seen %q\nwant %q", seen, want)
	}
	seen = nil
	s.OffAnyOutgoing()
	n.OffAnyOutgoing()
	_ = n.Emit("nobody")
	s.OnAnyOutgoing(func(string, []any) { seen = append(seen, "gone") })
	s.Disconnect(false)
	_ = n.Emit("after the end")
	if len(seen) > 0 || socketio.Watching(n) != 0 {
		t.Errorf("%q, %d sockets still watch", seen, socketio.Watching(n))
	}
}
