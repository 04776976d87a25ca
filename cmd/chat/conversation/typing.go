package conversation

import (
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// typingEvery is how often one socket may say that it writes; that it stopped may follow at once.
const typingEvery = time.Second

// lastTyping is when a socket said so; handlers of one socket run one at a time.
var lastTyping = socketio.NewKey[*typist]()

type typist struct {
	at     time.Time
	typing bool
	room   string
}

// typing is the handler of StartTyping: what comes too often is not passed on, which nobody notices.
func (c *Conversation) typing(s *socketio.Socket, t Typing) (struct{}, error) {
	room, err := c.member(s, t.Room)
	if err != nil {
		return struct{}{}, err
	}
	if !may(s, room, t.Typing) {
		c.stats.typingDropped.Add(1)
		return struct{}{}, nil
	}
	who := nameOf(s)
	to := room
	if room == "" {
		to = watchers
	}
	c.stats.typing.Add(1)
	return struct{}{}, SomebodyTypes.Emit(s.To(to).Volatile(), Typing{Room: room, Name: who.Name, ID: who.ID, Typing: t.Typing})
}

// may reports whether the socket may say so now: that it writes once a second, and that it stopped if it wrote.
func may(s *socketio.Socket, room string, typing bool) bool {
	last := lastTyping.Get(s)
	if last == nil {
		last = new(typist)
		lastTyping.Set(s, last)
	}
	now := time.Now()
	if typing {
		if now.Sub(last.at) < typingEvery {
			return false
		}
		last.at, last.typing, last.room = now, true, room
		return true
	}
	stopped := last.typing && last.room == room
	last.typing = last.typing && !stopped
	return stopped
}
