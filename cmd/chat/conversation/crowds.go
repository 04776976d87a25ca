package conversation

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// watchers is the room of those who are told the lobby's presence. Nobody joins it by its name.
const watchers = "@lobby"

const (
	presenceTick  = 100 * time.Millisecond // how often it is seen to what has changed
	presenceEvery = time.Second            // between two presence events of one room
	presenceAgain = 5 * time.Second        // until it is told again, for those who could not be sent to the first time
	refillEvery   = 10 * time.Second       // between two looks at a whole room for names to tell
)

// crowds is who is known to be in which room: as many as are told by name, and no more. How many there are is asked of
// the server when it is told, so that it is right whoever has put sockets into rooms.
type crowds struct {
	server   *socketio.Server // immutable
	maxRooms int              // immutable
	rate     float64          // clients told per second; immutable
	fleet    *fleet           // nil for a server that is alone; immutable

	mu     sync.Mutex
	rooms  map[string]*crowd // by name, the lobby's included; guarded by mu
	due    map[string]*crowd // those that have changed; guarded by mu
	ticks  bool              // the timer is set; guarded by mu
	budget float64           // clients that may be told now; less than 0 after a large room; guarded by mu
	last   time.Time         // when the budget was counted; guarded by mu
	told   uint64            // guarded by mu
}

// crowd is one room. Guarded by crowds.mu.
type crowd struct {
	listed   []*socketio.Socket // MaxNames at most, in the order in which they came
	told     time.Time
	again    bool // nothing has changed since it was told
	here     bool // it has changed on this server
	refilled time.Time
	opening  int // joins in progress: the room is not to be forgotten
}

func newCrowds(server *socketio.Server, o *Options) *crowds {
	return &crowds{
		server: server, maxRooms: o.MaxRooms, rate: float64(o.PresenceRate),
		rooms: map[string]*crowd{"": {}}, due: make(map[string]*crowd),
		budget: float64(o.PresenceRate), last: time.Now(),
	}
}

func (c *crowds) stats() (rooms int, told uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.rooms) - 1, c.told
}

// open makes a room, where there is none and there may be one more. A call of joined, or changed, follows.
func (c *crowds) open(room string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[room]
	if r == nil {
		if len(c.rooms) > c.maxRooms {
			return false
		}
		r = new(crowd)
		c.rooms[room] = r
	}
	r.opening++
	return true
}

// changed ends what open began, for a join that failed.
func (c *crowds) changed(room string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rooms[room].opening--
	c.mark(room)
}

// joined notes that a socket is in a room that was opened for it.
func (c *crowds) joined(s *socketio.Socket, room string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rooms[room].opening--
	c.list(s, room)
}

// seen notes a member that has asked who is there: its room may be one that it was put into.
func (c *crowds) seen(s *socketio.Socket, room string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[room]
	if r == nil && len(c.rooms) <= c.maxRooms {
		r = new(crowd)
		c.rooms[room] = r
	}
	if r != nil && len(r.listed) < MaxNames && !r.has(s) {
		c.list(s, room)
	}
}

// connected notes a socket in the lobby, and one that was recovered in its rooms.
func (c *crowds) connected(s *socketio.Socket) {
	var rooms []string
	if s.Recovered() {
		rooms = s.Rooms()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list(s, "")
	for _, room := range rooms {
		if room == s.ID() || room == watchers {
			continue
		}
		if c.rooms[room] == nil && len(c.rooms) <= c.maxRooms { // it was forgotten meanwhile, or known to another server
			c.rooms[room] = new(crowd)
		}
		if c.rooms[room] != nil {
			c.list(s, room)
		}
	}
}

// list writes a socket down if its name is to be told.
func (c *crowds) list(s *socketio.Socket, room string) {
	if r := c.rooms[room]; len(r.listed) < MaxNames && !r.has(s) && s.Connected() {
		r.listed = append(r.listed, s)
	}
	c.mark(room)
}

func (c *crowds) left(s *socketio.Socket, room string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.strike(s, room)
}

// disconnecting is called while the socket has its rooms.
func (c *crowds) disconnecting(s *socketio.Socket) {
	rooms := s.Rooms()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.strike(s, "")
	for _, room := range rooms {
		c.strike(s, room)
	}
}

func (c *crowds) strike(s *socketio.Socket, room string) {
	if r := c.rooms[room]; r != nil {
		r.remove(s)
		c.mark(room)
	}
}

// renamed notes that somebody has another name.
func (c *crowds) renamed(s *socketio.Socket) {
	rooms := s.Rooms()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mark("")
	for _, room := range rooms {
		if c.rooms[room] != nil {
			c.mark(room)
		}
	}
}

func (r *crowd) has(s *socketio.Socket) bool { return slices.Contains(r.listed, s) }

func (r *crowd) remove(s *socketio.Socket) {
	if i := slices.Index(r.listed, s); i >= 0 {
		r.listed = slices.Delete(r.listed, i, i+1)
	}
}

// mark has a room told of, soon. Called with mu held.
func (c *crowds) mark(room string) {
	c.rooms[room].here = true
	c.markTold(room)
}

// changedElsewhere has a room told of to those who are here.
func (c *crowds) changedElsewhere(room string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rooms[room] != nil {
		c.markTold(room)
	}
}

// markTold is mark, whoever has changed the room. Called with mu held.
func (c *crowds) markTold(room string) {
	r := c.rooms[room]
	r.again = false
	c.due[room] = r
	if !c.ticks {
		c.ticks = true
		time.AfterFunc(presenceTick, c.tick)
	}
}

// people is who is in a room at this moment, on all servers.
func (c *crowds) people(ctx context.Context, room string) (People, error) {
	p, err := c.ours(ctx, room)
	if err == nil && c.fleet != nil {
		p = c.fleet.elsewhere.with(p)
	}
	return p, err
}

// ours is who is in a room on this server.
func (c *crowds) ours(ctx context.Context, room string) (People, error) {
	n, err := c.size(ctx, room)
	if err != nil {
		return People{}, err
	}
	c.refill(ctx, room, n)
	return c.names(room, n), nil
}

func (c *crowds) size(ctx context.Context, room string) (int, error) {
	if room == "" {
		return c.server.SocketCount(), nil
	}
	return c.server.Local().To(room).Count(ctx)
}

// names is what is told of a room in which n are.
func (c *crowds) names(room string, n int) People {
	c.mu.Lock()
	var listed []*socketio.Socket
	if r := c.rooms[room]; r != nil {
		listed = append(listed, r.listed...)
	}
	c.mu.Unlock()
	p := People{Room: room, Names: make([]string, 0, len(listed)), IDs: make([]string, 0, len(listed)), Count: n}
	for _, s := range listed {
		if room != "" && !slices.Contains(s.Rooms(), room) {
			c.left(s, room) // taken out by the server's owner
			continue
		}
		who := nameOf(s)
		p.Names, p.IDs = append(p.Names, who.Name), append(p.IDs, who.ID)
	}
	return p
}
