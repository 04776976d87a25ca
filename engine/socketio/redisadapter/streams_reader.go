package redisadapter

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// streamReader reads one stream for all namespaces: one goroutine, one connection. It
// begins where the stream stands when it is first reached, and goes on from the last
// entry that it has been given, so that nothing falls between two reads. That Redis has
// dropped entries before they were read, or has lost the stream, it notices by the count
// of those ever added (Redis 7; before that, by the oldest entry being a later one).
type streamReader struct {
	name      string
	count     int           // entries at once
	many      int           // from so many on it may be that some were gone before
	block     time.Duration // for one answer
	patience  time.Duration // for one that should come at once
	pause     time.Duration
	connector *connector
	handler   streamHandler

	cancel  context.CancelFunc
	done    chan struct{} // closed when the goroutine has ended
	started chan struct{} // closed when the position is known

	at      atomic.Pointer[string] // the entry read last
	failure atomic.Pointer[failure]

	mu    sync.Mutex
	stats streamStats // guarded by mu
	wall  string      // the position when the stream was lost; guarded by mu

	// loop-only
	identity identity
	n        int64  // how many entries have been added up to the position
	counted  bool   // n is known
	beneath  string // where the stream stands, if that is before the position
}

// streamHandler is told of a stream, by one goroutine.
type streamHandler interface {
	// begin says where reading begins: behind this.
	begin(stream, at string)
	// entry is what was read next.
	entry(stream string, e entry)
	// gap comes before an entry if some that should be before it were gone, the last of
	// them at most upTo.
	gap(stream, upTo string)
}

// streamStats are the numbers of one reader.
type streamStats struct {
	read     uint64
	skipped  uint64 // that Redis had dropped before they were read
	gaps     uint64 // times that happened, or the stream was lost
	restarts uint64 // times the stream was lost
}

func newStreamReader(name string, f *Fleet, o *StreamsOptions, h streamHandler) *streamReader {
	r := &streamReader{
		name:      name,
		count:     o.ReadCount,
		many:      (min(o.ReadCount, o.MaxLen) + 1) / 2,
		block:     o.BlockTime,
		patience:  f.options.DeadAfter,
		pause:     f.options.Pause,
		connector: f.connector,
		handler:   h,
		done:      make(chan struct{}),
		started:   make(chan struct{}),
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.failure.Store(&failure{ErrNotConnected, time.Now()})
	go r.run(ctx)
	return r
}

// position returns the id of the entry read last, or of the one that was the last
// before; empty while Redis has not been reached.
func (r *streamReader) position() string {
	if at := r.at.Load(); at != nil {
		return *at
	}
	return ""
}

func (r *streamReader) run(ctx context.Context) {
	defer close(r.done)
	for pause := r.pause; ctx.Err() == nil; {
		began := time.Now()
		err := r.session(ctx)
		r.failure.Store(another(r.failure.Load(), err))
		if time.Since(began) > 10*r.pause {
			pause = r.pause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			pause = min(2*pause, 10*r.pause)
		}
	}
}

// session is one connection, from beginning to end.
func (r *streamReader) session(ctx context.Context) error {
	d, release, id, err := dedicate(ctx, r.connector, r.name, r.identity, r.patience)
	if err != nil {
		return err
	}
	defer release()
	defer d.Close()
	r.identity = id
	if r.position() == "" {
		if err := r.start(ctx, d); err != nil {
			return err
		}
	}
	for look := true; ; {
		var read int
		var err error
		if look {
			read, err = r.look(ctx, d)
		} else {
			read, err = r.wait(ctx, d)
		}
		if err != nil {
			return fmt.Errorf("redisadapter: reading a stream: %w", err)
		}
		r.failure.Store(nil)
		look = read == 0 && !look || read >= r.many
	}
}

// start takes the stream as it is for the beginning.
func (r *streamReader) start(ctx context.Context, d rueidis.DedicatedClient) error {
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	s, err := xinfo(ctx, d, r.name)
	if err != nil {
		return fmt.Errorf("redisadapter: a stream: %w", err)
	}
	r.n, r.counted = s.added, s.counted
	r.handler.begin(r.name, s.last)
	r.at.Store(&s.last)
	close(r.started)
	return nil
}

// wait reads what comes next.
func (r *streamReader) wait(ctx context.Context, d rueidis.DedicatedClient) (read int, err error) {
	// The client takes a deadline for one of the connection, and waits for it even
	// where ctx is done before.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer time.AfterFunc(r.block+r.patience, cancel).Stop()
	all, err := d.Do(ctx, d.B().Xread().Count(int64(r.count)).Block(max(r.block.Milliseconds(), 1)).
		Streams().Key(r.name).Id(r.position()).Build()).AsXRead()
	switch {
	case rueidis.IsRedisNil(err):
		return 0, nil
	case err != nil:
		return 0, err
	}
	entries := all[r.name]
	if len(entries) >= r.many {
		// So many may not be all, and those before them gone.
		s, err := xinfo(ctx, d, r.name)
		if err != nil {
			return 0, err
		}
		if s.trimmed(r.position()) {
			r.handler.gap(r.name, before(entries))
		}
	}
	r.take(entries)
	return len(entries), nil
}

// look reads what is there, and in the same moment how much has ever been.
func (r *streamReader) look(ctx context.Context, d rueidis.DedicatedClient) (read int, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	b := d.B()
	said := d.DoMulti(ctx, b.Multi().Build(),
		b.XinfoStream().Key(r.name).Build(),
		b.Xread().Count(int64(r.count)).Streams().Key(r.name).Id(r.position()).Build(),
		b.Exec().Build())
	both, err := said[3].ToArray()
	if err != nil {
		return 0, err
	}
	if len(both) != 2 {
		return 0, errNoReply
	}
	s, err := parseStreamInfo(both[0])
	if err != nil {
		return 0, err
	}
	all, err := both[1].AsXRead()
	if err != nil && !rueidis.IsRedisNil(err) {
		return 0, err
	}
	entries := all[r.name]
	r.compare(s, entries)
	r.take(entries)
	return len(entries), nil
}

// compare finds out whether all entries behind the position are there that should be,
// where so many of them have been read and are not counted yet. The position never goes
// back: an entry that comes before it, as Redis has begun anew with a clock that is
// behind, is one that is skipped.
func (r *streamReader) compare(s streamInfo, entries []rueidis.XRangeEntry) {
	at, read := r.position(), int64(len(entries))
	switch missing := s.added - r.n - read; {
	case newerID(at, s.last):
		switch {
		case r.beneath == "" || newerID(r.beneath, s.last) || missing < 0:
			r.lost(at, 0, true) // another stream, or an earlier state of this one
		case s.counted && missing > 0:
			r.lost(at, missing, false)
		}
		r.beneath, r.n, r.counted = s.last, s.added, s.counted
		return
	case !s.counted || !r.counted:
		if read > 0 && s.trimmed(at) {
			r.lost(before(entries), 0, false)
		}
		r.n, r.counted = s.added-read, s.counted && len(entries) < r.count
	case len(entries) < r.count: // that was all
		switch {
		case missing > 0:
			r.lost(maxID(before(entries), at), missing, false)
		case missing < 0:
			r.lost(maxID(before(entries), at), 0, true)
		}
		r.n = s.added - read
	case s.trimmed(at):
		// How many are missing is known when all are read.
		r.handler.gap(r.name, before(entries))
	}
	r.beneath = ""
}

// before returns the greatest id before the first entry.
func before(entries []rueidis.XRangeEntry) string {
	if len(entries) == 0 {
		return ""
	}
	return previousID(entries[0].ID)
}

// lost notes that entries up to an id are not known.
func (r *streamReader) lost(upTo string, entries int64, restart bool) {
	r.mu.Lock()
	r.stats.gaps++
	r.stats.skipped += uint64(entries)
	if restart {
		r.stats.restarts++
		r.wall = r.position()
	}
	r.mu.Unlock()
	r.handler.gap(r.name, upTo)
}

// take hands on what was read.
func (r *streamReader) take(entries []rueidis.XRangeEntry) {
	for _, e := range entries {
		r.handler.entry(r.name, entryOf(e))
		r.at.Store(&e.ID)
	}
	r.n += int64(len(entries))
	r.mu.Lock()
	r.stats.read += uint64(len(entries))
	r.mu.Unlock()
}

// barrier returns where the stream was lost: of what was before, entries may be missing
// in what it has become. Empty where it never was.
func (r *streamReader) barrier() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wall
}

// begun returns when the position is known.
func (r *streamReader) begun(ctx context.Context) error {
	select {
	case <-r.started:
		return nil
	case <-r.done:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ready says why nothing is read.
func (r *streamReader) ready() error {
	return lasting(r.failure.Load(), "nothing read of stream "+strconv.Quote(r.name))
}

// report returns the numbers of this moment.
func (r *streamReader) report() streamStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// close ends it.
func (r *streamReader) close() {
	r.cancel()
	<-r.done
}
