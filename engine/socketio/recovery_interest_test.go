package socketio_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// subscriber is an adapter that counts who is in which room, as one does that hears of
// rooms with members only.
type subscriber struct {
	*socketio.MemoryAdapter
	*vault

	counting sync.Mutex
	members  map[string]int
}

func (a *subscriber) count(rooms []string, n int) {
	a.counting.Lock()
	defer a.counting.Unlock()
	for _, r := range rooms {
		if a.members[r] += n; a.members[r] == 0 {
			delete(a.members, r)
		}
	}
}

func (a *subscriber) Join(s *socketio.Socket, rooms []string) {
	a.count(rooms, 1)
	a.MemoryAdapter.Join(s, rooms)
}

func (a *subscriber) Leave(s *socketio.Socket, rooms []string) {
	a.count(rooms, -1)
	a.MemoryAdapter.Leave(s, rooms)
}

func (a *subscriber) LeaveAll(s *socketio.Socket, rooms []string, closed bool) {
	a.count(rooms, -1)
	a.MemoryAdapter.LeaveAll(s, rooms, closed)
}

func (a *subscriber) has(want map[string]int) bool {
	a.counting.Lock()
	defer a.counting.Unlock()
	return maps.Equal(a.members, want)
}

// interested is a server whose adapter counts.
func interested(t *testing.T, o socketio.Options) (*watched, *subscriber) {
	a := &subscriber{members: make(map[string]int), vault: &vault{sessions: make(map[string]*socketio.SessionState)}}
	o.Adapter = func(m *socketio.MemoryAdapter) socketio.Adapter {
		if m.Namespace().Name() != "/" {
			return m
		}
		a.MemoryAdapter = m
		return a
	}
	return recoveringWith(t, o), a
}

type rooms = map[string]int

func TestRoomsOfWhoIsWaitedForAreStillOfInterest(t *testing.T) {
	w, a := interested(t, socketio.Options{ConnectionStateRecovery: &socketio.Recovery{MaxWaiting: 1}})
	c, s := w.visitor(t)
	must(t, s.Join("lobby", "bar"))
	s.Leave("bar")
	w.loses(c)
	if !a.has(rooms{"lobby": 1}) {
		t.Errorf("while it is waited for: %v", a.members)
	}
	if !c.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	s = w.socket(c, c.sid)
	must(t, s.Join("bar"))
	if !a.has(rooms{"lobby": 1, "bar": 1}) {
		t.Errorf("when it is back: %v", a.members)
	}
	w.loses(c)
	other, o := w.visitor(t)
	must(t, o.Join("lobby"))
	w.loses(other) // there is room for one
	eventually(t, "whom is not waited for any more has left", func() bool { return a.has(rooms{"lobby": 1}) })
	if !other.returns(t, w.addr) {
		t.Fatal("not recovered")
	}
	w.socket(other, other.sid).Disconnect(false)
	eventually(t, "who is disconnected has left", func() bool { return a.has(rooms{}) })
}

func TestRoomsOfWhoIsRestoredAreOfInterestAtOnce(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		t.Run(fmt.Sprint(refuse), func(t *testing.T) {
			w, a := interested(t, socketio.Options{ConnectionStateRecovery: &socketio.Recovery{RunMiddlewares: true}})
			inside, goOn := make(chan bool), make(chan error)
			w.Use(func(_ ctxt, s *socketio.Socket) error {
				must(t, s.Join("more"))
				inside <- true
				return <-goOn
			})
			pid, sid := "ppppppppppppppppppp2", "sssssssssssssssssss2"
			_ = a.PersistSession(context.Background(), &socketio.SessionState{ID: sid, PID: pid, Rooms: []string{"lobby"}})
			c := &revenant{pid: pid, sid: sid}
			c.peer = dial(t, w.addr)
			c.send(`40{"pid":"` + pid + `"}`)
			receive(t, inside)
			if !a.has(rooms{"lobby": 1}) {
				t.Errorf("in its middlewares: %v", a.members)
			}
			must(t, w.To("lobby").Emit("missed"))
			if refuse {
				goOn <- context.Canceled
				c.expect(`44{"message":"context canceled"}`)
				eventually(t, "who is refused has left", func() bool { return a.has(rooms{}) })
				return
			}
			goOn <- nil
			c.gets(`42["missed"]`)
			if got := c.read(); got != `40{"sid":"`+sid+`","pid":"`+pid+`"}` {
				t.Errorf("answer %s", got)
			}
			w.socket(c, sid)
			if !a.has(rooms{"lobby": 1, "more": 1}) {
				t.Errorf("when it is in: %v", a.members)
			}
			w.loses(c)
			if !a.Moved(pid) || a.Moved(pid) || !a.has(rooms{}) {
				t.Errorf("when it is another server's: %v", a.members)
			}
		})
	}
}

func TestRoomsOfWhoExpiredAreLeft(t *testing.T) {
	w, a := interested(t, socketio.Options{ConnectionStateRecovery: &socketio.Recovery{MaxDisconnectionDuration: 20 * time.Millisecond}})
	c, s := w.visitor(t)
	must(t, s.Join("lobby"))
	c.vanish()
	eventually(t, "its rooms are left", func() bool { return a.has(rooms{}) })
}
