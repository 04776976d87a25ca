package socketio_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// recorder is the kind of adapter that a broker has: local delivery first.
type recorder struct {
	*socketio.MemoryAdapter
	calls chan string
}

func (r *recorder) note(what string, args ...any) {
	r.calls <- r.Namespace().Name() + " " + what + fmt.Sprint(args...)
}

func (r *recorder) Join(s *socketio.Socket, rooms []string) {
	r.MemoryAdapter.Join(s, rooms)
	r.note("join", rooms)
}

func (r *recorder) Leave(s *socketio.Socket, rooms []string) {
	r.MemoryAdapter.Leave(s, rooms)
	r.note("leave", rooms)
}

func (r *recorder) LeaveAll(s *socketio.Socket, rooms []string, closed bool) {
	r.MemoryAdapter.LeaveAll(s, rooms, closed)
	r.note("leaveAll", rooms, closed)
}

func (r *recorder) Broadcast(p *socketio.Broadcast) error {
	err := r.MemoryAdapter.Broadcast(p)
	r.note("broadcast", string(p.Array), len(p.Attachments), p.Rooms, p.Except, p.Flags)
	return err
}

func (r *recorder) Close() error {
	r.note("close")
	return nil
}

func TestAdapterIsTold(t *testing.T) {
	t.Parallel()
	calls := make(chan string, 100)
	sockets := make(chan *socketio.Socket, 1)
	io := socketio.New(quiet(socketio.Options{Adapter: func(local *socketio.MemoryAdapter) socketio.Adapter {
		return &recorder{local, calls}
	}}))
	io.Use(func(_ ctxt, s *socketio.Socket) error { return s.Join("early") })
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return nil })
	p, sid := join(t, start(t, io))
	s := receive(t, sockets)
	_ = s.Join("a", "early", "b")
	s.Leave("a", "never")
	_ = io.To("b").Except("x").Volatile().Emit("ev", []byte("y"))
	p.expect(`451-["ev",{"_placeholder":true,"num":0}]`, "binary:y")
	_ = s.Broadcast().Local().Emit("ev", 1)
	s.Disconnect(false)
	want := []string{
		"/ join[early]", "/ join[a b]", "/ leave[a]",
		`/ broadcast["ev",{"_placeholder":true,"num":0}]1 [b] [x] {true false false}`,
		`/ broadcast["ev",1]0 [] [` + sid + `] {false true false}`,
		"/ leaveAll[early b] false",
	}
	var got []string
	for range want {
		got = append(got, receive(t, calls))
	}
	if !slices.Equal(got, want) {
		t.Errorf("calls:\n%q\nwant:\n%q", got, want)
	}
}

// The factory may use the server, and the local adapter of its namespace.
func TestAdapterIsMadeOnACompleteServer(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	made := map[string]int{}
	io := socketio.New(quiet(socketio.Options{Adapter: func(local *socketio.MemoryAdapter) socketio.Adapter {
		n := local.Namespace()
		mu.Lock()
		made[n.Name()]++
		mu.Unlock()
		if err := local.Broadcast(&socketio.Broadcast{Array: []byte(`["x"]`)}); err != nil {
			t.Error(err)
		}
		if err := n.Server().Emit("x"); err != nil {
			t.Error(err)
		}
		if n.Name() != "/control" {
			n.Server().Of("/control")
		}
		return local
	}}))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if n := io.Of("/a"); n != io.Of("a") || io.Of("/") == n {
				t.Error("not the same namespace")
			}
		})
	}
	all.Wait()
	if want := map[string]int{"/": 1, "/control": 1, "/a": 1}; !maps.Equal(made, want) {
		t.Errorf("made %v", made)
	}
}

func TestAdaptersAreClosedInEveryCase(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(io *socketio.Server){
		"never listened": func(*socketio.Server) {},
		"failed to listen": func(io *socketio.Server) {
			if io.Listen("256.0.0.1:0") == nil {
				t.Error("listens")
			}
		},
		"listened": func(io *socketio.Server) {
			if err := io.Listen("127.0.0.1:0"); err != nil {
				t.Error(err)
			}
		},
	} {
		calls := make(chan string, 100)
		io := socketio.New(quiet(socketio.Options{Adapter: func(local *socketio.MemoryAdapter) socketio.Adapter {
			return &recorder{local, calls}
		}}))
		run(io)
		for range 2 {
			if err := io.Shutdown(context.Background()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		io.Of("/late")
		for _, want := range []string{"/ close", "/late close"} {
			if got := receive(t, calls); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if len(calls) > 0 {
			t.Errorf("%s: %s as well", name, <-calls)
		}
	}
}
