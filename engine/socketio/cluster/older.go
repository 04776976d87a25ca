package cluster

import (
	"context"
	"fmt"
	"time"
)

// olderStay is how long older events that were read back stay in memory.
const olderStay = time.Minute

// readFor is how long reading them may take.
const readFor = 15 * time.Second

// older is a reading of events that are not in memory, for all who come meanwhile.
type older struct {
	after string        // from where on
	done  chan struct{} // closed when it has ended
	err   error         // set before that
}

// cover returns when all events behind an offset are in memory: it waits for this server
// to read up to there, or has older ones read.
func (t *Tail) cover(ctx context.Context, offset string) error {
	for {
		wait, r, err := t.lookBack(offset)
		if wait == nil {
			return err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return err
		}
		if r != nil && r.err != nil && t.log.Compare(offset, r.after) >= 0 {
			return r.err
		}
	}
}

// lookBack returns what to wait for and what is wrong until then; nothing where the
// events behind an offset are there.
func (t *Tail) lookBack(offset string) (wait <-chan struct{}, r *older, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return nil, nil, ErrClosed
	case !t.begun || t.log.Compare(t.done, offset) < 0:
		return t.movement(), nil, errTooEarly
	case t.log.Compare(offset, t.floor) >= 0:
		return nil, nil, nil
	}
	if t.reading == nil {
		t.reading = &older{after: offset, done: make(chan struct{})}
		t.until = time.Now().Add(olderStay) // what is there stays until older ones are, too
		go t.readOlder(t.reading, t.floor)
	}
	return t.reading.done, t.reading, errTooOld
}

// readOlder reads the events up to where those in memory begin, and puts them in front.
func (t *Tail) readOlder(r *older, floor string) {
	t.counts.ranges.Add(1)
	ctx, cancel := context.WithTimeout(context.Background(), readFor)
	defer cancel()
	events, bytes, err := t.fetch(ctx, r.after, floor)
	t.mu.Lock()
	defer t.mu.Unlock()
	o := &t.options
	switch {
	case err != nil:
		r.err = fmt.Errorf("%w: %w", errTooOld, err)
	case t.floor != floor, len(t.events)+len(events) > o.MaxEvents+o.MaxOlderEvents, t.bytes+bytes > o.MaxBytes+o.MaxOlderBytes:
		r.err = errTooOld
	default:
		t.events = append(events, t.events...)
		t.bytes += bytes
		t.floor = r.after
		t.until = time.Now().Add(olderStay)
	}
	t.reading = nil
	close(r.done)
}

// fetch reads events from the log.
func (t *Tail) fetch(ctx context.Context, after, upTo string) (events []*event, bytes int64, err error) {
	last := after
	err = t.log.Range(ctx, after, upTo, func(e Entry) bool {
		at := e.Message.Offset
		if !t.isOffset(at) || t.log.Compare(at, last) <= 0 || t.log.Compare(at, upTo) > 0 {
			t.counts.bad.Add(1)
			return true
		}
		last = at
		ev, ok := eventOf(e)
		switch {
		case !ok:
			t.counts.bad.Add(1)
		case ev != nil && !ev.p.Flags.Volatile:
			events = append(events, ev)
			bytes += ev.size
		}
		return len(events) <= t.options.MaxOlderEvents && bytes <= t.options.MaxOlderBytes
	})
	return events, bytes, err
}
