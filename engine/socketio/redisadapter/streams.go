package redisadapter

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// streams is Mode Streams: createAdapter of @socket.io/redis-streams-adapter. What
// servers do is appended to a stream, which each of them reads; what somebody waits for
// an answer to goes over pub/sub.
type streams struct {
	fleet   *Fleet
	options StreamsOptions // immutable

	mu      sync.RWMutex
	readers map[string]*streamReader // by the name of the stream; guarded by mu
	writers map[string]*streamWriter // likewise
	links   map[string]*streamsLink  // by namespace; guarded by mu
	closed  bool                     // guarded by mu
}

// openStreams makes a Fleet of Mode Streams.
func openStreams(f *Fleet) (mode, error) {
	return &streams{
		fleet: f, options: f.options.Streams,
		readers: make(map[string]*streamReader),
		writers: make(map[string]*streamWriter),
		links:   make(map[string]*streamsLink),
	}, nil
}

func (s *streams) uid() string { return cluster.NewUID() }

func (s *streams) open(a *cluster.Adapter) (cluster.Link, error) {
	l := newStreamsLink(s, a)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	s.links[l.nsp] = l
	for _, name := range streamsOf(s.options.Name, l.nsp, s.options.Count) {
		if s.readers[name] == nil {
			s.readers[name] = newStreamReader(name, s.fleet, &s.options, s)
		}
	}
	home := streamOf(s.options.Name, l.nsp, s.options.Count, s.options.Strict)
	if s.writers[home] == nil {
		s.writers[home] = newStreamWriter(home, s.fleet, &s.options, s.readers[home])
	}
	l.home, l.writer = home, s.writers[home]
	l.subscribe()
	return l, nil
}

// remove forgets a link.
func (s *streams) remove(l *streamsLink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.links[l.nsp] == l {
		delete(s.links, l.nsp)
	}
}

// entry implements streamHandler.
func (s *streams) entry(stream string, e entry) {
	s.mu.RLock()
	l := s.links[e.nsp]
	s.mu.RUnlock()
	if l == nil {
		s.fleet.counters.elsewhere.Add(1)
		return
	}
	l.entry(stream, e)
}

// begin implements streamHandler.
func (s *streams) begin(stream, at string) {}

// gap implements streamHandler.
func (s *streams) gap(stream, upTo string) {
	s.fleet.options.Cluster.Logger.Warn("redisadapter: entries of a stream were gone before they were read", "stream", stream)
}

// all returns the readers and writers that there are, in the order of their names.
func (s *streams) all() (readers []*streamReader, writers []*streamWriter) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, name := range slices.Sorted(maps.Keys(s.readers)) {
		readers = append(readers, s.readers[name])
		if w := s.writers[name]; w != nil {
			writers = append(writers, w)
		}
	}
	return readers, writers
}

// wait returns when all streams are read.
func (s *streams) wait(ctx context.Context) error {
	readers, _ := s.all()
	for _, r := range readers {
		if err := r.begun(ctx); err != nil {
			return errors.Join(err, r.ready())
		}
	}
	return nil
}

// ready says what does not work.
func (s *streams) ready() error {
	readers, writers := s.all()
	var errs []error
	for _, r := range readers {
		errs = append(errs, r.ready())
	}
	for _, w := range writers {
		errs = append(errs, w.ready())
	}
	return errors.Join(errs...)
}

// StreamsStats are the numbers of Mode Streams.
type StreamsStats struct {
	// Appended is how many entries of this server are in a stream.
	Appended uint64
	// Appending is what happened to what was to be appended.
	Appending cluster.OutboxStats
	// Unknown is how many were given up, because Redis was lost, and its stream after that
	// did not tell whether they were in it: others have received them, or have not.
	Unknown uint64
	// Refused is how many Redis did not accept.
	Refused uint64
	// Read is how many entries were read, our own included.
	Read uint64
	// Skipped is how many entries Redis had dropped before this server had read them;
	// before Redis 7 it is not known how many.
	Skipped uint64
	// Gaps is how often that happened, or a stream was lost: Restarts.
	Gaps     uint64
	Restarts uint64
}

// report adds to the numbers.
func (s *streams) report(to *Stats) {
	readers, writers := s.all()
	t := &to.Streams
	for _, r := range readers {
		n := r.report()
		t.Read += n.read
		t.Skipped += n.skipped
		t.Gaps += n.gaps
		t.Restarts += n.restarts
	}
	for _, w := range writers {
		t.Appended += w.appended.Load()
		t.Unknown += w.unknown.Load()
		t.Refused += w.refused.Load()
		t.Appending = sumOutboxes(t.Appending, w.outbox.Stats())
	}
}

func sumOutboxes(a, b cluster.OutboxStats) cluster.OutboxStats {
	return cluster.OutboxStats{
		Waiting:      a.Waiting + b.Waiting,
		WaitingBytes: a.WaitingBytes + b.WaitingBytes,
		Sent:         a.Sent + b.Sent,
		Dropped:      a.Dropped + b.Dropped,
		DroppedFirst: a.DroppedFirst + b.DroppedFirst,
		Failures:     a.Failures + b.Failures,
		Down:         a.Down || b.Down,
	}
}

// close ends readers and writers.
func (s *streams) close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	readers, writers := s.all()
	var errs []error
	for _, w := range writers {
		errs = append(errs, w.close(ctx))
	}
	for _, r := range readers {
		r.close()
	}
	return errors.Join(errs...)
}
