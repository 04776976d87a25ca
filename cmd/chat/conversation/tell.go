package conversation

import (
	"context"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// tick tells of the rooms that are due. It runs on the timer's goroutine, and sets the timer again while there are more.
func (c *crowds) tick() {
	ctx, cancel := context.WithTimeout(context.Background(), presenceEvery)
	defer cancel()
	for _, room := range c.ripe() {
		if err := c.tell(ctx, room); err != nil {
			continue // a loop is busy, or the server is closed; whoever joins or leaves next has it told
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ticks = len(c.due) > 0; c.ticks {
		time.AfterFunc(presenceTick, c.tick)
	}
}

// ripe takes the rooms that may be told of now: those not told of within the last second, while there is a budget. Each
// change is told twice, as presence is dropped where it cannot be sent at once.
func (c *crowds) ripe() (rooms []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.budget = min(c.budget+c.rate*now.Sub(c.last).Seconds(), c.rate)
	c.last = now
	if c.budget <= 0 {
		return nil
	}
	for name, r := range c.due {
		if wait := now.Sub(r.told); wait < presenceEvery || r.again && wait < presenceAgain {
			continue
		}
		if float64(len(rooms)) >= c.budget {
			break
		}
		r.told = now
		if r.again = !r.again; !r.again {
			delete(c.due, name)
		}
		rooms = append(rooms, name)
	}
	return rooms
}

// tell says who is in a room to those in it, and to the other servers where that has changed here. A room that is empty
// here is forgotten.
func (c *crowds) tell(ctx context.Context, room string) error {
	to := room
	if room == "" {
		to = watchers
	}
	told, err := c.size(ctx, to)
	if err != nil {
		return err
	}
	people, err := c.toldOf(ctx, room, told)
	if err != nil || told == 0 {
		return err
	}
	return Presence.Emit(c.server.Local().To(to).Volatile(), people)
}

// toldOf is who is in a room, of which so many are told.
func (c *crowds) toldOf(ctx context.Context, room string, told int) (People, error) {
	changed := c.telling(room, told)
	switch {
	case c.fleet == nil && told == 0:
		return People{}, nil
	case c.fleet == nil || !changed:
		return c.people(ctx, room)
	}
	people, err := c.ours(ctx, room)
	if err != nil {
		return people, err
	}
	return c.fleet.people(people), nil
}

// telling counts who is told of a room, and reports whether it has changed on this server.
func (c *crowds) telling(room string, told int) (changed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.rooms[room]; r != nil {
		changed = r.here
		r.here = c.due[room] != nil && changed // until it was told again
	}
	c.budget -= float64(told)
	if told == 0 {
		c.forget(room)
	} else {
		c.told++
	}
	return changed
}

// forget removes a room that nobody was in, unless somebody is about to be, or has come meanwhile. Called with mu held.
func (c *crowds) forget(room string) {
	r, due := c.rooms[room], c.due[room]
	if due != nil && due.again {
		delete(c.due, room) // there is nobody to be told again
		due = nil
	}
	if room != "" && r != nil && r.opening == 0 && due == nil {
		delete(c.rooms, room)
	}
}

// refill looks for names where there are fewer than could be told: those who were listed have left, and others, who were
// not, are still there.
func (c *crowds) refill(ctx context.Context, room string, n int) {
	if !c.wantsRefill(room, n) {
		return
	}
	sockets := c.server.Sockets()
	if room != "" {
		sockets = sockets[:0]
		found, _ := c.server.In(room).Local().FetchSockets(ctx) // those that were found will do
		for _, r := range found {
			if s, ok := r.Local(); ok {
				sockets = append(sockets, s)
			}
		}
	}
	c.add(room, sockets)
}

func (c *crowds) wantsRefill(room string, n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[room]
	if r == nil || len(r.listed) >= min(n, MaxNames/2) || time.Since(r.refilled) < refillEvery {
		return false
	}
	r.refilled = time.Now()
	return true
}

func (c *crowds) add(room string, sockets []*socketio.Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[room]
	for _, s := range sockets {
		if r == nil || len(r.listed) == MaxNames {
			return
		}
		if s.Connected() && !r.has(s) {
			r.listed = append(r.listed, s)
		}
	}
}
