package tunnel

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Stream is one end of a connection between two servers. It is a net.Conn, with CloseWrite,
// and as safe for concurrent use as those are.
type Stream struct {
	tunnel *Tunnel // immutable
	peer   *peer   // immutable
	dialed bool    // immutable
	meta   []byte  // immutable
	id     uint64  // immutable once open

	reading, writing sync.Mutex // one Read and one Write at a time
	readBy, writeBy  deadline
	readable         chan struct{} // has a token after a change that Read may wait for
	writable         chan struct{} // likewise for Write

	mu        sync.Mutex  // taken before peer.opening, and that before Tunnel.mu
	open      bool        // guarded by mu, like all below: the other end knows of it, or will
	answered  bool        // the other end has said something
	impatient *time.Timer // until it has
	quiet     int         // pulses since something was sent
	err       error       // why it is over; nil as long as it is not

	chunks   [][]byte // received, and not yet read
	received uint64   // bytes up to now
	read     uint64   // of these
	allowed  uint64   // up to which the other end may send
	ended    bool     // all was received

	sent     uint64
	limit    uint64 // up to which we may
	finished bool   // all was sent
	closed   bool   // by its user
}

func newStream(t *Tunnel, p *peer, dialed bool, meta []byte) *Stream {
	return &Stream{
		tunnel: t, peer: p, dialed: dialed, meta: meta,
		readable: make(chan struct{}, 1), writable: make(chan struct{}, 1),
		allowed: window, limit: window,
	}
}

// window is how many bytes of a stream may be on their way, or wait for its reader, in each
// direction. Both ends know it before anything is said.
const window = 64 << 10

// gatherBytes is how much is put together, of small parts that wait for a reader.
const gatherBytes = 4 << 10

// Meta is what came with the stream. It must not be changed.
func (s *Stream) Meta() []byte { return s.meta }

// LocalAddr is the Addr of this server.
func (s *Stream) LocalAddr() net.Addr { return Addr(s.tunnel.self.tag) }

// RemoteAddr is the Addr of the other one.
func (s *Stream) RemoteAddr() net.Addr { return Addr(s.peer.tag) }

// Read reads what the other end has written; io.EOF where it has said that this was all.
func (s *Stream) Read(b []byte) (int, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	for {
		if n, done, err := s.readNow(b); done {
			return n, err
		}
		select {
		case <-s.readable:
		case <-s.readBy.wait():
			return 0, os.ErrDeadlineExceeded
		}
	}
}

// readNow reads what there is; done is false where it has to be waited for.
func (s *Stream) readNow(b []byte) (n int, done bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return 0, true, net.ErrClosed
	case isClosed(s.readBy.wait()):
		return 0, true, os.ErrDeadlineExceeded
	case len(b) == 0:
		return 0, true, nil
	}
	for n < len(b) && len(s.chunks) > 0 {
		k := copy(b[n:], s.chunks[0])
		n += k
		if s.chunks[0] = s.chunks[0][k:]; len(s.chunks[0]) == 0 {
			s.chunks[0] = nil
			s.chunks = s.chunks[1:]
		}
	}
	switch {
	case n > 0:
		s.consumed(n)
		return n, true, nil
	case s.ended:
		return 0, true, io.EOF
	}
	return 0, s.err != nil, s.err
}

// consumed makes room for more. Called with mu held.
func (s *Stream) consumed(n int) {
	s.read += uint64(n)
	s.peer.waiting.Add(-int64(n))
	if len(s.chunks) == 0 {
		s.chunks = nil
	}
	if s.err == nil && !s.ended && s.read+window/2 >= s.allowed {
		s.allowed = s.read + window
		_ = s.tell(&frame{kind: kindWindow, limit: s.allowed}) // it is over, then
	}
}

// Write sends b, as far as the other end has room for it.
func (s *Stream) Write(b []byte) (n int, err error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	for {
		k, wait, err := s.writeNow(b[n:])
		if n += k; err != nil || n == len(b) {
			return n, err
		}
		if !wait {
			continue
		}
		select {
		case <-s.writable:
		case <-s.writeBy.wait():
			return n, os.ErrDeadlineExceeded
		}
	}
}

// writeNow sends as much as one message holds; wait says that none may be sent now.
func (s *Stream) writeNow(b []byte) (n int, wait bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed || s.finished:
		return 0, false, net.ErrClosed
	case s.err != nil:
		return 0, false, s.err
	case isClosed(s.writeBy.wait()):
		return 0, false, os.ErrDeadlineExceeded
	}
	room := s.limit - min(s.sent, s.limit)
	n = int(min(uint64(len(b)), uint64(s.tunnel.options.Chunk), room))
	if n == 0 {
		return 0, len(b) > 0, nil
	}
	at := s.sent
	s.sent += uint64(n)
	if !s.open {
		err = s.begin(b[:n])
	} else {
		err = s.tell(&frame{kind: kindData, at: at, data: b[:n]})
	}
	if err != nil {
		return 0, false, err
	}
	s.tunnel.counters.bytesOut.Add(uint64(n))
	return n, false, nil
}

// begin tells the other end of the stream. Called with mu held.
func (s *Stream) begin(data []byte) error {
	p := s.peer
	p.opening.Lock()
	defer p.opening.Unlock()
	if err := p.register(s); err != nil {
		s.over(err)
		return err
	}
	s.open = true
	s.impatient = time.AfterFunc(s.tunnel.options.Patience, s.unanswered)
	return s.tell(&frame{kind: kindOpen, meta: s.meta, data: data})
}

// unanswered gives a stream up that the other end has said nothing about.
func (s *Stream) unanswered() {
	s.mu.Lock()
	waits := !s.answered
	s.mu.Unlock()
	if waits {
		s.reset(causeReset, s.tunnel.silent(s.peer))
	}
}

// tell sends a frame, and gives the stream up where that cannot be done. Called with mu held.
func (s *Stream) tell(f *frame) error {
	f.dialed, f.id = s.dialed, s.id
	s.quiet = 0
	err := s.tunnel.send(s.peer.tag, f)
	if err != nil {
		s.over(err)
	}
	return err
}

// take does what a frame of the other end says.
func (s *Stream) take(f *frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	if s.answered = true; s.impatient != nil {
		s.impatient.Stop()
		s.impatient = nil
	}
	switch f.kind {
	case kindData:
		s.add(f.at, f.data)
	case kindFinish:
		s.end(s.upTo(f.at))
	case kindAlive:
		if s.upTo(f.at) {
			s.mayUpTo(f.limit)
			s.end(f.last && f.at == s.received)
		}
	case kindWindow:
		s.mayUpTo(f.limit)
	case kindReset:
		s.over(cause(f.at).err())
	}
}

// upTo ends the stream if anything up to the offset at is missing. Called with mu held.
func (s *Stream) upTo(at uint64) bool {
	if at > s.received {
		s.breakOff(causeLost)
	}
	return at <= s.received
}

// end notes that all was received, if it was. Called with mu held.
func (s *Stream) end(all bool) {
	if all && !s.ended {
		s.ended = true
		wake(s.readable)
		s.settle()
	}
}

// mayUpTo notes how much may be sent. Called with mu held.
func (s *Stream) mayUpTo(limit uint64) {
	if limit > s.limit {
		s.limit = limit
		wake(s.writable)
	}
}

// add takes data, unless it came before. Called with mu held.
func (s *Stream) add(at uint64, data []byte) {
	end := at + uint64(len(data))
	switch {
	case end <= s.received:
		return
	case at != s.received:
		s.breakOff(causeLost)
		return
	case s.closed || s.ended || end > s.allowed:
		s.breakOff(causeReset)
		return
	case s.peer.waiting.Load()+int64(len(data)) > int64(s.tunnel.options.MaxBytes):
		s.breakOff(causeBusy)
		return
	}
	s.peer.waiting.Add(int64(len(data)))
	s.tunnel.counters.bytesIn.Add(uint64(len(data)))
	s.received = end
	if i := len(s.chunks) - 1; i >= 0 && len(s.chunks[i])+len(data) <= gatherBytes {
		s.chunks[i] = append(s.chunks[i], data...)
	} else {
		s.chunks = append(s.chunks, append([]byte(nil), data...))
	}
	wake(s.readable)
}

// welcome takes what came with a new stream, and says so.
func (s *Stream) welcome(data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	_ = s.tell(&frame{kind: kindWindow, limit: s.allowed})
	s.add(0, data)
}

// probe returns what the other end is to know of a stream that was quiet for long; ok is
// false for others.
func (s *Stream) probe() (f frame, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.quiet++; s.quiet < probePulses || !s.open || s.err != nil {
		return f, false
	}
	s.quiet = 0
	return frame{kind: kindAlive, dialed: s.dialed, id: s.id, at: s.sent, limit: s.allowed, last: s.finished}, true
}

// SetDeadline sets both; see net.Conn.
func (s *Stream) SetDeadline(at time.Time) error {
	s.readBy.set(at)
	s.writeBy.set(at)
	return nil
}

// SetReadDeadline is net.Conn's.
func (s *Stream) SetReadDeadline(at time.Time) error {
	s.readBy.set(at)
	return nil
}

// SetWriteDeadline is net.Conn's.
func (s *Stream) SetWriteDeadline(at time.Time) error {
	s.writeBy.set(at)
	return nil
}
