package socketio

import (
	"context"
	"slices"
	"time"
)

// Context returns a context that is done when the socket is gone: refused,
// disconnected, or its connection closed. It is the one that handlers are given.
// It allocates nothing until somebody waits for it. It carries no values and no
// deadline; context.WithTimeout over it needs no goroutine.
func (s *Socket) Context() context.Context { return (*socketContext)(s) }

// socketContext is a Socket seen as a context.
type socketContext Socket

// lifetime is what waits for the end of a socket. It exists once somebody waits.
type lifetime struct {
	done  chan struct{} // made on first use
	after []*afterFunc
}

type afterFunc struct{ run func() }

// closedChan is the Done of every socket that had none when it ended.
var closedChan = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Deadline implements context.Context: there is none.
func (c *socketContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Done implements context.Context.
func (c *socketContext) Done() <-chan struct{} {
	s := (*Socket)(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state > connected {
		return closedChan
	}
	l := s.needLife()
	if l.done == nil {
		l.done = make(chan struct{})
	}
	return l.done
}

// Err implements context.Context.
func (c *socketContext) Err() error {
	s := (*Socket)(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state > connected {
		return context.Canceled
	}
	return nil
}

// Value implements context.Context: there are none. See [Key] for values of a socket.
func (c *socketContext) Value(any) any { return nil }

// String is what package context prints for the parent of a context.
func (c *socketContext) String() string { return "socketio.Socket(" + (*Socket)(c).ID() + ")" }

// AfterFunc calls f in a goroutine of its own when the socket is gone. Package
// context uses it to derive contexts without a goroutine that waits.
func (c *socketContext) AfterFunc(f func()) (stop func() bool) {
	s := (*Socket)(c)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state > connected {
		go f()
		return func() bool { return false }
	}
	a := &afterFunc{f}
	l := s.needLife()
	l.after = append(l.after, a)
	return func() bool { return s.stopAfter(a) }
}

func (s *Socket) stopAfter(a *afterFunc) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rare == nil || s.rare.life == nil {
		return false
	}
	l := s.rare.life
	i := slices.Index(l.after, a)
	if i < 0 {
		return false
	}
	l.after = slices.Delete(l.after, i, i+1)
	return true
}

// needLife returns what waits for the socket's end. Called with mu held.
func (s *Socket) needLife() *lifetime {
	r := s.need()
	if r.life == nil {
		r.life = new(lifetime)
	}
	return r.life
}
