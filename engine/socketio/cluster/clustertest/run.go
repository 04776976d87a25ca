package clustertest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// Maker makes n servers with these options and an adapter that connects them. They are
// not started yet. What else it started it ends with t.Cleanup.
type Maker func(t *testing.T, n int, options socketio.Options) []*socketio.Server

// patience is how long anything may take; no test that passes waits that long.
const patience = 20 * time.Second

const (
	servers = 3 // of a fleet
	seats   = 2 // clients that each of them has
)

// Run tests what an adapter makes of several servers. All tests are with the same
// servers, in a namespace each.
func Run(t *testing.T, m Maker) {
	f := &fleet{}
	options := socketio.Options{KeepHandshake: true, RequestTimeout: patience, AckTimeout: patience}
	for _, io := range m(t, servers, options) {
		f.servers = append(f.servers, socketiotest.Start(t, io))
	}
	for _, test := range []struct {
		name string
		run  func(h *hall)
	}{
		{"everyone", everyone}, {"rooms", rooms}, {"odd names", oddNames}, {"values", values}, {"namespaces", namespaces},
		{"local and volatile", localAndVolatile}, {"order", order}, {"acknowledgements", acknowledgements},
		{"acknowledgements that do not come", missingAcks}, {"fetch", fetch}, {"remote sockets", remoteSockets},
		{"moving", moving}, {"disconnecting", disconnecting}, {"server side", serverSide}, {"counts", counts},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(f.hall(t, "/"+test.name)) })
	}
	t.Run("default namespace", func(t *testing.T) { everyone(f.hall(t, "/")) })
}

// fleet is the servers of one Run.
type fleet struct{ servers []*socketiotest.Server }

// hall is one namespace on all servers, with clients.
type hall struct {
	*testing.T
	name  string
	at    []*socketio.Namespace
	seats [][]*member // by server
}

// member is one client.
type member struct {
	*socketiotest.Client
	t *testing.T
}

// socketData is a value that others learn of.
var socketData = socketio.NewSharedKey[map[string]any]("profile")

// hall makes the namespace, and waits until its servers know of each other.
func (f *fleet) hall(t *testing.T, name string) *hall {
	h := &hall{T: t, name: name}
	for _, s := range f.servers {
		h.at = append(h.at, s.Of(name))
	}
	for i, n := range h.at {
		h.eventually(fmt.Sprintf("server %d knows all", i), func() bool {
			n, err := n.ServerCount(h.Context())
			return err == nil && n == len(h.at)
		})
	}
	for _, s := range f.servers {
		s = s.Sub(t)
		var row []*member
		for range seats {
			row = append(row, &member{s.Connect(socketiotest.ConnectOptions{Namespace: name, Auth: map[string]string{"token": "t"}}), t})
		}
		h.seats = append(h.seats, row)
	}
	t.Cleanup(func() {
		for _, m := range h.all() {
			m.Close()
		}
	})
	return h
}

// eventually is for what another server learns soon, and nobody is told of.
func (h *hall) eventually(what string, cond func() bool) {
	h.Helper()
	for end := time.Now().Add(patience); !cond(); {
		if time.Now().After(end) {
			h.Fatalf("not within %v: %s", patience, what)
		}
		select {
		case <-h.Context().Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (h *hall) all() (list []*member) {
	for _, row := range h.seats {
		list = append(list, row...)
	}
	return list
}

// each requires that all of the members get the event next.
func each(members []*member, name string, want ...any) {
	for _, m := range members {
		m.expect(name, want...)
	}
}

// probe is an event that members do not look at.
const probe = "clustertest probe"

// expect is Expect without probes.
func (m *member) expect(name string, want ...any) *socketiotest.Event {
	m.t.Helper()
	e := m.Next()
	for e.Name == probe && name != probe {
		e = m.Next()
	}
	w, err := socketio.EncodeArgs(want...)
	if err != nil || e.Name != name || len(want) > 0 && !same(e.Args, w) {
		m.t.Fatalf("got %s %.300v %.100x, want %s %.300v %.100x", e.Name, e.Args, e.Args.Attachments(), name, w, w.Attachments())
	}
	return e
}

// same compares values, and attachments in order.
func same(a, b socketio.Args) bool {
	var x, y any
	return json.Unmarshal([]byte(a.String()), &x) == nil && json.Unmarshal([]byte(b.String()), &y) == nil &&
		reflect.DeepEqual(x, y) && slices.EqualFunc(a.Attachments(), b.Attachments(), bytes.Equal)
}

// reaches waits until what is emitted to the room on any server comes to these members:
// some adapters subscribe to a room when somebody joins it, and that takes a while.
func (h *hall) reaches(room string, members ...*member) {
	h.Helper()
	for from, n := range h.at {
		stop := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := 0; ; i++ {
				_ = n.To(room).Emit(probe, room, from)
				select {
				case <-stop:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		}()
		for _, m := range members {
			m.until(room, from)
		}
		close(stop)
		<-done
	}
}

// until takes probes up to one of this room and server.
func (m *member) until(room string, from int) {
	want, _ := socketio.EncodeArgs(room, from)
	for {
		if e := m.expect(probe); same(e.Args, want) {
			return
		}
	}
}

// fence requires that nothing but probes came to the members before an event that is
// emitted to everyone now, on every server.
func (h *hall) fence(members ...*member) {
	h.Helper()
	for i, n := range h.at {
		if err := n.Emit("fence", i); err != nil {
			h.Fatal(err)
		}
		each(members, "fence", i)
	}
}

// join has the member's socket join rooms, where it is.
func (h *hall) join(m *member, rooms ...string) {
	h.Helper()
	s := m.Socket()
	if s == nil {
		h.Fatal("no socket")
		return
	}
	if err := s.Join(rooms...); err != nil {
		h.Fatal(err)
	}
}

// later runs f in a goroutine, and returns what waits for its result.
func later[T any](f func() (T, error)) func(h *hall) (T, error) {
	type result struct {
		v   T
		err error
	}
	c := make(chan result, 1)
	go func() {
		v, err := f()
		c <- result{v, err}
	}()
	return func(h *hall) (T, error) {
		h.Helper()
		select {
		case r := <-c:
			return r.v, r.err
		case <-time.After(2 * patience):
			h.Fatal("no result")
			panic("unreachable")
		}
	}
}

// ok fails the test with the error, if there is one.
func (h *hall) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// ctx is the test's, with an end.
func (h *hall) ctx() context.Context {
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	h.Cleanup(cancel)
	return ctx
}
