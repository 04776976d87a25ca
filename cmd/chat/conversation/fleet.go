package conversation

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// What the servers of one chat say to each other.
const (
	here socketio.Event[digest]          = "conversation:here"
	said socketio.Event[history.Message] = "conversation:said"
)

// fleet is the servers that are one chat together.
type fleet struct {
	server *socketio.Server // immutable, as are the next three
	crowds *crowds
	name   string // what this server calls itself
	tells  bool   // what is said: their histories do not have it otherwise

	elsewhere *elsewhere

	mu   sync.Mutex
	told map[string]struct{} // rooms that the others know somebody of here to be in; guarded by mu
	next []string            // those to be told again; guarded by mu
}

// joinFleet has c be one chat with those of other servers.
func joinFleet(c *Conversation) {
	f := &fleet{
		server: c.server, crowds: c.crowds, name: rand.Text()[:12], tells: !c.history.Shared(),
		elsewhere: newElsewhere(c.options.MaxRooms), told: make(map[string]struct{}),
	}
	c.fleet, c.crowds.fleet = f, f
	socketio.OnServerSide(c.server, here, func(_ context.Context, d digest) error {
		f.hear(&d)
		return nil
	})
	socketio.OnServerSide(c.server, said, func(_ context.Context, m history.Message) error {
		c.history.Keep(m)
		return nil
	})
	_ = f.tell(digest{New: true}) // the others hear of this server with its next words, too
	time.AfterFunc(aliveEvery, f.alive)
}

func (f *fleet) tell(d digest) error {
	d.Server = f.name
	return f.server.ServerSideEmit(string(here), d)
}

// hear takes in what another server tells. Who is new is told of everybody here, with the next words.
func (f *fleet) hear(d *digest) {
	for _, room := range f.elsewhere.hear(d) {
		f.crowds.changedElsewhere(room)
	}
	if d.New {
		f.mu.Lock()
		f.next = nil
		for room := range f.told {
			f.next = append(f.next, room)
		}
		f.mu.Unlock()
		_ = f.tellAgain() // it fails where the server has closed
	}
}

// people tells the others who is in a room here, and returns who is there with those elsewhere.
func (f *fleet) people(p People) People {
	f.mu.Lock()
	_, known := f.told[p.Room]
	if p.Count > 0 {
		f.told[p.Room] = struct{}{}
	} else {
		delete(f.told, p.Room)
	}
	f.mu.Unlock()
	if known || p.Count > 0 {
		_ = f.tell(digest{Rooms: []People{p}}) // they are told again soon
	}
	return f.elsewhere.with(p)
}

// alive says that this server is there, and some of the rooms again, for those who have missed them. It goes on until the
// server has closed.
func (f *fleet) alive() {
	for _, room := range f.elsewhere.forget() {
		f.crowds.changedElsewhere(room)
	}
	if f.tellAgain() == nil {
		time.AfterFunc(aliveEvery, f.alive)
	}
}

// tellAgain tells the others of the next rooms in turn.
func (f *fleet) tellAgain() error {
	f.mu.Lock()
	if len(f.next) == 0 {
		for room := range f.told {
			f.next = append(f.next, room)
		}
	}
	n := min(len(f.next), againAtAll)
	rooms := f.next[:n]
	f.next = f.next[n:]
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), presenceEvery)
	defer cancel()
	var d digest
	for _, room := range rooms {
		if p, err := f.crowds.ours(ctx, room); err == nil {
			d.Rooms = append(d.Rooms, p)
		}
	}
	return f.tell(d)
}

// said tells the others of a message.
func (f *fleet) said(m *history.Message) {
	if f != nil && f.tells {
		_ = f.server.ServerSideEmit(string(said), *m) // it can be encoded, and where the server is closed nobody waits
	}
}
