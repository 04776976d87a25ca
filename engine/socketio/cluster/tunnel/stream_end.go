package tunnel

import (
	"errors"
	"net"
)

// CloseWrite says that nothing more will be written.
func (s *Stream) CloseWrite() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.finish()
}

// finish is that with mu held.
func (s *Stream) finish() error {
	if s.finished || s.err != nil {
		return s.err
	}
	if !s.open {
		if err := s.begin(nil); err != nil {
			return err
		}
	}
	s.finished = true
	wake(s.writable)
	err := s.tell(&frame{kind: kindFinish, at: s.sent})
	s.settle()
	return err
}

// Close ends the stream: what was written still arrives, and nothing is read any more.
func (s *Stream) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	wake(s.readable)
	wake(s.writable)
	s.drop()
	switch {
	case !s.open:
		s.over(net.ErrClosed)
	case s.err == nil:
		_ = s.finish()
	}
	return nil
}

// Refuse gives the stream up and has the other end see err, where that is one of ErrRefused,
// ErrBusy and ErrReset; ErrReset otherwise.
func (s *Stream) Refuse(err error) {
	why := causeReset
	switch {
	case errors.Is(err, ErrRefused):
		why = causeRefused
	case errors.Is(err, ErrBusy):
		why = causeBusy
	}
	s.reset(why, net.ErrClosed)
	_ = s.Close()
}

// settle forgets a stream that has ended in both directions; what was received may still be
// read. Called with mu held.
func (s *Stream) settle() {
	if s.ended && s.finished && s.err == nil {
		s.err = net.ErrClosed
		s.peer.forget(s)
	}
}

// breakOff gives the stream up and tells the other end why. Called with mu held.
func (s *Stream) breakOff(why cause) {
	if s.err != nil {
		return
	}
	if why == causeLost {
		s.tunnel.counters.lost.Add(1)
	}
	if s.open {
		_ = s.tell(&frame{kind: kindReset, at: uint64(why)}) // or it notices
	}
	s.over(why.err())
}

// reset gives the stream up because of err.
func (s *Stream) reset(why cause, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	if s.open {
		_ = s.tunnel.send(s.peer.tag, &frame{kind: kindReset, dialed: s.dialed, id: s.id, at: uint64(why)})
	}
	s.over(err)
}

// fail gives the stream up and tells nobody.
func (s *Stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over(err)
}

// over ends the stream with err. What was received before may still be read. Called with mu
// held.
func (s *Stream) over(err error) {
	if s.err != nil {
		return
	}
	s.err = err
	if s.impatient != nil {
		s.impatient.Stop()
		s.impatient = nil
	}
	if s.open {
		s.tunnel.counters.reset.Add(1)
		s.peer.forget(s)
	}
	wake(s.readable)
	wake(s.writable)
}

// drop gives up what was received. Called with mu held.
func (s *Stream) drop() {
	for _, c := range s.chunks {
		s.peer.waiting.Add(-int64(len(c)))
	}
	s.chunks = nil
}

// wake leaves a token for whoever waits, or will.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
