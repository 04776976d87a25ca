package socketio_test

import (
	"fmt"
	"slices"
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
