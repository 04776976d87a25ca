package cluster

import (
	"slices"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// given is an event of this server that was delivered here before it came back from the
// log. Until it has, who moves to this server lacks it.
type given struct {
	sequence uint64
	p        *socketio.Broadcast // nil where it will not come back
	offset   string              // that it was delivered with
	at       time.Time           // when it was appended
	size     int64
	settled  bool // nobody is trying to append it any more
}

// givenList is those that may still come back, in the order of their sequences.
type givenList struct {
	items []given
	open  int   // that are not settled
	bytes int64 // of all
}

func (q *givenList) push(g given) {
	q.items = append(q.items, g)
	q.open++
	q.bytes += g.size
}

// find returns the event with that sequence; nil where it is none of these.
func (q *givenList) find(sequence uint64) *given {
	i, found := slices.BinarySearchFunc(q.items, sequence, func(g given, n uint64) int {
		switch {
		case g.sequence < n:
			return -1
		case g.sequence > n:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return &q.items[i]
}

// settle notes what became of an event, if it is one of these.
func (q *givenList) settle(sequence uint64, o Outcome) {
	g := q.find(sequence)
	if g == nil {
		return
	}
	if !g.settled {
		g.settled = true
		q.open--
	}
	if o == Failed {
		q.bytes -= g.size
		g.p, g.size = nil, 0
	}
}

// abandon settles all up to a sequence of which it will not be known what became, and returns
// how many there were.
func (q *givenList) abandon(upTo uint64) (n uint64) {
	for i := range q.items {
		if g := &q.items[i]; g.sequence <= upTo && !g.settled {
			g.settled = true
			q.open--
			n++
		}
	}
	return n
}

// forget drops the first ones: those up to a sequence, those that will not come back,
// and those settled that are too many.
func (q *givenList) forget(upTo uint64, most int, mostBytes int64) {
	n := 0
	for n < len(q.items) {
		g := &q.items[n]
		crowded := g.settled && (len(q.items)-n > most/2 || q.bytes > mostBytes/2)
		if g.sequence > upTo && g.p != nil && !crowded {
			break
		}
		if !g.settled {
			q.open--
		}
		q.bytes -= g.size
		*g = given{}
		n++
	}
	if q.items = q.items[n:]; len(q.items) == 0 {
		q.items = nil
	}
}
