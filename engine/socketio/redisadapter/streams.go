package redisadapter

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"github.com/fanfare-go/fanfare/engine/socketio"
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
	tails   map[string]*cluster.Tail // likewise, where sockets are recovered
	links   map[string]*streamsLink  // by namespace; guarded by mu
	closed  bool                     // guarded by mu
}

// openStreams makes a Fleet of Mode Streams.
func openStreams(f *Fleet) (mode, error) {
	return &streams{
		fleet: f, options: f.options.Streams,
		readers: make(map[string]*streamReader),
		writers: make(map[string]*streamWriter),
		tails:   make(map[string]*cluster.Tail),
		links:   make(map[string]*streamsLink),
	}, nil
}

func (s *streams) uid() string { return cluster.NewUID() }

// open implements mode.
func (s *streams) open(a *cluster.Adapter) (cluster.Link, error) {
	l := newStreamsLink(s, a, a)
	return l, s.enter(l)
}

// openLogged makes the link of a namespace whose events are numbered by its stream.
func (s *streams) openLogged(a *cluster.Logged) (cluster.LogLink, error) {
	l := &loggedLink{newStreamsLink(s, a.Adapter, a), a}
	return l, s.enter(l.streamsLink)
}

// logged makes the adapter of a namespace whose sockets are recovered on any server.
func (s *streams) logged(local *socketio.MemoryAdapter) (*cluster.Logged, error) {
	return cluster.NewLogged(local, s.uid(), s.fleet.options.Cluster, s.tail(local.Namespace().Name()), s.openLogged)
}

// home returns the stream that a namespace writes to.
func (s *streams) home(nsp string) string {
	return streamOf(s.options.Name, nsp, s.options.Count, s.options.Strict)
}

// tail returns the end in memory of the stream of a namespace. Every stream that is read
// has one then, as it has to begin where the reading does.
func (s *streams) tail(nsp string) *cluster.Tail {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range streamsOf(s.options.Name, nsp, s.options.Count) {
		if s.tails[name] == nil {
			log := &streamLog{name: name, streams: s}
			s.tails[name] = cluster.NewTail(log, s.options.Tail)
			log.reader = s.reader(name)
		}
	}
	return s.tails[s.home(nsp)]
}

// reader returns the reader of a stream. Called with mu held.
func (s *streams) reader(stream string) *streamReader {
	if s.readers[stream] == nil {
		s.readers[stream] = newStreamReader(stream, s.fleet, &s.options, s)
	}
	return s.readers[stream]
}

// enter has streams read and written for a link.
func (s *streams) enter(l *streamsLink) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	l.home = s.home(l.nsp)
	s.links[l.nsp] = l
	for _, name := range streamsOf(s.options.Name, l.nsp, s.options.Count) {
		s.reader(name)
	}
	if s.writers[l.home] == nil {
		s.writers[l.home] = newStreamWriter(l.home, s.fleet, &s.options, s.readers[l.home])
	}
	l.writer = s.writers[l.home]
	l.subscribe()
	return nil
}

// remove forgets a link.
func (s *streams) remove(l *streamsLink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.links[l.nsp] == l {
		delete(s.links, l.nsp)
	}
}

// entry implements streamHandler. Of a stream with a tail, that gets everything; what it
// hands on is for namespaces that write to it.
func (s *streams) entry(stream string, e entry) {
	s.mu.RLock()
	l, tail := s.links[e.nsp], s.tails[stream]
	s.mu.RUnlock()
	c := &s.fleet.counters
	switch {
	case l == nil && tail == nil:
		c.elsewhere.Add(1)
		return
	case l != nil && l.uid == e.uid:
		c.own.Add(1)
		if tail == nil {
			return
		}
	case l == nil:
		c.elsewhere.Add(1)
	default:
		c.received.Add(1)
	}
	m, err := parseEntry(e, s.fleet.options.MaxMessage)
	switch {
	case err != nil && l == nil:
		c.malformed.Add(1)
	case err != nil:
		l.malformed(err)
	case l != nil:
		l.entry(stream, m, tail)
	default:
		tail.Receive(cluster.Entry{Namespace: e.nsp, Message: m})
	}
}

// begin implements streamHandler.
func (s *streams) begin(stream, at string) {
	s.mu.RLock()
	tail := s.tails[stream]
	s.mu.RUnlock()
	if tail != nil {
		tail.Begin(at)
	}
}

// gap implements streamHandler.
func (s *streams) gap(stream, upTo string) {
	s.fleet.options.Cluster.Logger.Warn("redisadapter: entries of a stream were gone before they were read", "stream", stream)
	s.mu.RLock()
	tail := s.tails[stream]
	s.mu.RUnlock()
	if tail != nil {
		tail.Skipped(upTo)
	}
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

func (s *streams) allTails() []*cluster.Tail {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Collect(maps.Values(s.tails))
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
	for _, t := range s.allTails() {
		errs = append(errs, t.Ready())
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
	// Tail has the numbers of connection state recovery.
	Tail cluster.TailStats
}

// report adds to the numbers.
func (s *streams) report(to *Stats) {
	readers, writers := s.all()
	t := &to.Streams
	for _, tail := range s.allTails() {
		t.Tail.Add(tail.Stats())
	}
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
	for _, t := range s.allTails() {
		t.Close()
	}
	return errors.Join(errs...)
}
