package socketio

import "slices"

// Key names a value that sockets carry, with its type: Node's socket.data, one
// field of it. Declare it once, as a variable of the package:
//
//	var user = socketio.NewKey[User]()
//
// Methods are safe for concurrent use, and work after the socket is gone or refused.
type Key[T any] struct{ id *keyID }

// keyID is a key's identity: its address.
type keyID struct{ name string } // under which values travel; empty for not at all

// value is what a socket carries under one key.
type value struct {
	key *keyID
	v   any
}

// NewKey returns a key unlike all others.
func NewKey[T any]() Key[T] { return Key[T]{new(keyID)} }

// Set gives the socket a value.
func (k Key[T]) Set(s *Socket, v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.need()
	s.changed(k.id)
	if i := k.index(r); i >= 0 {
		r.values[i].v = v
		return
	}
	r.values = append(r.values, value{k.id, v})
}

// Get returns the socket's value, or the zero value if it has none.
func (k Key[T]) Get(s *Socket) T {
	v, _ := k.Lookup(s)
	return v
}

// Lookup returns the socket's value and whether it has one.
func (k Key[T]) Lookup(s *Socket) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return k.lookup(s)
}

// lookup is Lookup with the socket's mu held.
func (k Key[T]) lookup(s *Socket) (v T, ok bool) {
	if i := k.index(s.rare); i >= 0 {
		if raw, restored := s.rare.values[i].v.(restoredValue); restored {
			ok = s.nsp.server.options.JSON.Unmarshal(raw, &v) == nil
			return v, ok
		}
		v, ok = s.rare.values[i].v.(T)
	}
	return v, ok
}

// Delete takes the value away.
func (k Key[T]) Delete(s *Socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := k.index(s.rare); i >= 0 {
		s.changed(k.id)
		s.rare.values = slices.Delete(s.rare.values, i, i+1)
	}
}

func (k Key[T]) index(r *rare) int {
	if r == nil {
		return -1
	}
	return slices.IndexFunc(r.values, func(v value) bool { return v.key == k.id || k.id.name != "" && v.key.name == k.id.name })
}
