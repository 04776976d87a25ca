package tunnel

import (
	"net"
	"sync"
)

// maxWaiting bounds streams that wait for Accept.
const maxWaiting = 1024

// Listener takes the streams that other servers open. It is a net.Listener.
type Listener struct {
	tunnel  *Tunnel
	streams chan *Stream
	done    chan struct{} // closed by Close
	once    sync.Once
}

// Listen has streams of other servers accepted from now on; until then, and after Close of
// the Listener, they are refused. There is one Listener at a time.
func (t *Tunnel) Listen() (*Listener, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return nil, net.ErrClosed
	case t.listening != nil:
		return nil, errListening
	}
	t.listening = &Listener{tunnel: t, streams: make(chan *Stream, maxWaiting), done: make(chan struct{})}
	return t.listening, nil
}

// Accept returns the next stream, a *Stream.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case s := <-l.streams:
		return s, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept. Streams that were accepted stay.
func (l *Listener) Close() error {
	l.tunnel.mu.Lock()
	if l.tunnel.listening == l {
		l.tunnel.listening = nil
	}
	l.tunnel.mu.Unlock()
	l.end()
	return nil
}

// end refuses those that nobody has accepted. Called when no more can come.
func (l *Listener) end() {
	l.once.Do(func() {
		close(l.done)
		for {
			select {
			case s := <-l.streams:
				s.reset(causeRefused, net.ErrClosed)
			default:
				return
			}
		}
	})
}

// Addr is the tunnel's.
func (l *Listener) Addr() net.Addr { return Addr(l.tunnel.self.tag) }

// Addr is a server's tag as a net.Addr.
type Addr string

// Network returns "tunnel".
func (Addr) Network() string { return "tunnel" }

// String returns the tag.
func (a Addr) String() string { return string(a) }
