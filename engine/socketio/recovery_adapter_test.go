package socketio_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// vault is what several servers share: lost sockets, and the events since.
type vault struct {
	mu       sync.Mutex
	sessions map[string]*socketio.SessionState // by key
	events   map[string][]*socketio.Broadcast  // that came since they were lost
	asked    []string                          // offsets

	restoring func(context.Context) // called meanwhile
}

// keeper is an adapter that has a vault.
type keeper struct {
	*socketio.MemoryAdapter
	*vault
}

var _ socketio.SessionAdapter = keeper{}

func (v *vault) PersistSession(_ context.Context, s *socketio.SessionState) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sessions[s.PID] = s
	return nil
}

func (v *vault) ForgetSession(pid string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.sessions, pid)
}

func (v *vault) has(pid string) *socketio.SessionState {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.sessions[pid]
}

// asks are the offsets that it was asked with.
func (v *vault) asks() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.asked)
}

func (v *vault) RestoreSession(ctx context.Context, pid, offset string, adopt func(*socketio.RestoredSession) bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.sessions[pid]
	v.asked = append(v.asked, offset)
	if s == nil {
		return nil
	}
	delete(v.sessions, pid)
	if v.restoring != nil {
		v.restoring(ctx)
	}
	adopt(&socketio.RestoredSession{SessionState: *s, Missed: v.events[pid]})
	return nil
}

func (k keeper) Broadcast(p *socketio.Broadcast) error {
	k.mu.Lock()
	for pid, s := range k.sessions {
		if slices.ContainsFunc(p.Rooms, func(r string) bool { return slices.Contains(s.Rooms, r) }) {
			k.events[pid] = append(k.events[pid], &socketio.Broadcast{Array: bytes.Clone(p.Array), Attachments: p.Attachments})
		}
	}
	k.mu.Unlock()
	return k.MemoryAdapter.Broadcast(p)
}

var chair = socketio.NewSharedKey[int]("chair")

// A server stops, and its client goes on with another, which has never heard of it.
func TestRecoveryByAnAdapterOnAnotherServer(t *testing.T) {
	v := &vault{sessions: make(map[string]*socketio.SessionState), events: make(map[string][]*socketio.Broadcast)}
	options := socketio.Options{
		ConnectionStateRecovery: &socketio.Recovery{},
		Adapter:                 func(a *socketio.MemoryAdapter) socketio.Adapter { return keeper{a, v} },
	}
	first, second := recoveringWith(t, options), recoveringWith(t, options)
	ran := make(chan bool, 10)
	second.Use(func(ctxt, *socketio.Socket) error { ran <- true; return nil })
	c, s := first.visitor(t)
	must(t, s.Join("lobby"))
	chair.Set(s, 7)
	must(t, first.Emit("one"))
	c.gets(`42["one"]`)
	done := first.shutdown()
	c.expectClosed()
	must(t, receive(t, done))
	if state := v.has(c.pid); state == nil || state.ID != c.sid || state.Offset < c.offset || string(state.Data["chair"]) != "7" {
		t.Fatalf("persisted: %+v", state)
	}
	must(t, second.To("lobby").Emit("missed"))
	must(t, second.To("elsewhere").Emit("not yours"))
	before := c.offset
	c.offset = "" // the other server's offsets are in another order
	c.foreign = before
	if !c.returns(t, second.addr) {
		t.Fatal("not recovered")
	}
	c.missed(`42["missed"]`)
	again := second.socket(c, c.sid)
	if !again.Recovered() || chair.Get(again) != 7 || !slices.Contains(again.Rooms(), "lobby") || len(ran) > 0 {
		t.Errorf("recovered %v, value %d, rooms %q, middlewares ran: %v", again.Recovered(), chair.Get(again), again.Rooms(), len(ran) > 0)
	}
	must(t, second.To("lobby").Emit("live"))
	c.gets(`42["live"]`)
	if asks := v.asks(); len(asks) != 1 || asks[0] != before {
		t.Errorf("asked since %q", asks)
	}

	second.loses(c) // and back to the same server: it is not asked for
	eventually(t, "it is persisted", func() bool { return v.has(c.pid) != nil })
	must(t, second.To("lobby").Emit("missed again"))
	if !c.returns(t, second.addr) {
		t.Fatal("not recovered again")
	}
	c.missed(`42["missed again"]`)
	if asks := v.asks(); v.has(c.pid) != nil || len(asks) != 1 {
		t.Errorf("asked since %q; forgotten: %v", asks, v.has(c.pid) == nil)
	}

	thief := &revenant{pid: "xxxxxxxxxxxxxxxxxxxx"}
	if thief.returns(t, second.addr) {
		t.Error("a key that nobody has")
	}
	receive(t, ran)
}

// An adapter's PersistSession is the application's code as much as any handler.
type fragile struct{ keeper }

func (fragile) PersistSession(context.Context, *socketio.SessionState) error { panic("no vault") }

func TestAPanicOfAnAdapterThatPersistsCostsOneSocket(t *testing.T) {
	errs := make(chan error, 10)
	w := recoveringWith(t, socketio.Options{
		ConnectionStateRecovery: &socketio.Recovery{},
		OnError:                 func(_ context.Context, _ *socketio.Socket, err error) { errs <- err },
		Adapter: func(a *socketio.MemoryAdapter) socketio.Adapter {
			return fragile{keeper{a, &vault{sessions: make(map[string]*socketio.SessionState)}}}
		},
	})
	c, _ := w.visitor(t)
	c.vanish()
	if e := receive(t, w.ends); e.id != c.sid { // the disconnect functions are called all the same
		t.Errorf("ended: %v", e)
	}
	if err := receive(t, errs); err == nil || w.Stats().Panics != 1 {
		t.Errorf("%v; %d panics", err, w.Stats().Panics)
	}
	must(t, w.Emit("missed"))
	if !c.returns(t, w.addr) {
		t.Error("not recovered here")
	}
	c.missed(`42["missed"]`)
}

// Whom an adapter gives back is present with the value it had.
func TestPresenceOfASocketFromAnotherServer(t *testing.T) {
	name := socketio.NewSharedKey[string]("name")
	v := &vault{sessions: make(map[string]*socketio.SessionState)}
	options := socketio.Options{
		ConnectionStateRecovery: &socketio.Recovery{},
		Adapter:                 func(a *socketio.MemoryAdapter) socketio.Adapter { return keeper{a, v} },
	}
	first, second := recoveringWith(t, options), recoveringWith(t, options)
	who := socketio.NewPresence(second.Of("/"), name, socketio.PresenceOptions{})
	c, s := first.visitor(t)
	name.Set(s, "ann")
	must(t, s.Join("lobby"))
	first.loses(c)
	eventually(t, "it is persisted", func() bool { return v.has(c.pid) != nil })
	if !c.returns(t, second.addr) {
		t.Fatal("not recovered")
	}
	second.socket(c, c.sid)
	if got := fmt.Sprint(who.Members("lobby")); got != "[ann]" {
		t.Errorf("members %s", got)
	}
}

// What comes out of a vault is not to be trusted more than a client.
func TestRoomsThatAnAdapterGivesBackAreLookedAt(t *testing.T) {
	v := &vault{sessions: make(map[string]*socketio.SessionState)}
	w := recoveringWith(t, socketio.Options{
		ConnectionStateRecovery: &socketio.Recovery{},
		Adapter:                 func(a *socketio.MemoryAdapter) socketio.Adapter { return keeper{a, v} },
	})
	_, other := w.visitor(t)
	pid, sid := "ppppppppppppppppppp1", "sssssssssssssssssss1"
	idlike := "rrrrrrrrrrrrrrrrrrr1"
	_ = v.PersistSession(context.Background(), &socketio.SessionState{ID: sid, PID: pid, Rooms: []string{"a", "a", sid, other.ID(), idlike, "b"}})
	c := &revenant{pid: pid, sid: sid}
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	s := w.socket(c, sid)
	if got := fmt.Sprint(s.Rooms()); got != fmt.Sprint([]string{sid, "a", other.ID(), idlike, "b"}) {
		t.Errorf("rooms %s", got)
	}
	s.Leave("a")
	must(t, w.To("a").Emit("not yours"))
	must(t, w.To(other.ID()).Except("b").Emit("nor this"))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if n, err := w.To(other.ID()).Count(ctx); n != 2 || err != nil {
		t.Errorf("%d in the room that is called as a socket, %v", n, err)
	}
	if found, err := w.To(other.ID()).FetchSockets(ctx); len(found) != 2 || err != nil {
		t.Errorf("found %d, %v", len(found), err)
	}
	must(t, w.To("b").Emit("yours"))
	c.gets(`42["yours"]`)
}

// A client that is lost again while its socket is being fetched finds it the next time.
func TestWhoIsLostWhileAnAdapterRestoresIt(t *testing.T) {
	v := &vault{sessions: make(map[string]*socketio.SessionState), events: make(map[string][]*socketio.Broadcast)}
	options := socketio.Options{
		ConnectionStateRecovery: &socketio.Recovery{},
		Adapter:                 func(a *socketio.MemoryAdapter) socketio.Adapter { return keeper{a, v} },
	}
	first, second := recoveringWith(t, options), recoveringWith(t, options)
	c, s := first.visitor(t)
	must(t, s.Join("lobby"))
	first.loses(c)
	eventually(t, "it is persisted", func() bool { return v.has(c.pid) != nil })
	must(t, second.To("lobby").Emit("missed"))
	hasty := dial(t, second.addr)
	v.mu.Lock()
	v.restoring = func(ctx context.Context) {
		hasty.vanish()
		<-ctx.Done()
	}
	v.mu.Unlock()
	hasty.send(`40{"pid":"` + c.pid + `"}`)
	eventually(t, "it is there again", func() bool { return len(v.asks()) == 1 && v.has(c.pid) != nil })
	v.mu.Lock()
	v.restoring = nil
	v.mu.Unlock()
	if !c.returns(t, second.addr) {
		t.Fatal("not recovered")
	}
	c.missed(`42["missed"]`)
}
