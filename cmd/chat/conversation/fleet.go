package conversation

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
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

	leaving atomic.Bool // nothing is told any more

	mu      sync.Mutex
	told    map[string]struct{} // rooms that the others know somebody of here to be in; guarded by mu
	next    []string            // those to be told again; guarded by mu
	telling bool                // all of these, to one that is new; guarded by mu
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
	f.hello()
	time.AfterFunc(aliveEvery, f.alive)
}

func (f *fleet) tell(d digest) error {
	if f.leaving.Load() && !d.Gone {
		return nil
	}
	d.Server = f.name
	return f.server.ServerSideEmit(string(here), d)
}

// hello asks the others who is there. They hear of this server with its next words, too.
func (f *fleet) hello() { _ = f.tell(digest{New: true}) }

// hear takes in what another server tells. Who is new is told of everybody here.
func (f *fleet) hear(d *digest) {
	for _, room := range f.elsewhere.hear(d) {
		f.crowds.changedElsewhere(room)
	}
	if !d.New {
		return
	}
	f.mu.Lock()
	f.next = nil
	for room := range f.told {
		f.next = append(f.next, room)
	}
	begin := !f.telling
	f.telling = true
	f.mu.Unlock()
	if begin {
		f.tellAll()
	}
}

// tellAll tells the others of all rooms, againAtAll at a time.
func (f *fleet) tellAll() {
	err := f.tellAgain() // it fails where the server has closed
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.telling = err == nil && len(f.next) > 0; f.telling {
		time.AfterFunc(tellAllEvery, f.tellAll)
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

// Hello has the other servers of the chat tell who is there: for when they can hear that, which may be after New. It does
// nothing for a server that is alone.
func (c *Conversation) Hello() {
	if c.fleet != nil {
		c.fleet.hello()
	}
}

// Leave tells the other servers that nobody is here any more, and nothing after that: for just before the server closes, when
// there is no time to tell of every room.
func (c *Conversation) Leave() {
	if c.fleet != nil && !c.fleet.leaving.Swap(true) {
		_ = c.fleet.tell(digest{Gone: true}) // where the server has closed, they find out
	}
}
