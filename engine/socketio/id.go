package socketio

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"sync"
)

const (
	idLen    = 20 // characters of a socket id, as Node's
	idRandom = 15 // random bytes in it: 120 bits, base64url
)

type socketID [idLen]byte

// idSource makes ids. It reads the system's randomness 64 ids at a time, because
// a system call per connection is what a reconnect storm is made of. The zero value
// is ready.
type idSource struct {
	mu     sync.Mutex
	random [64 * idRandom]byte // guarded by mu
	left   int                 // bytes of random not used yet, at its start; guarded by mu
}

func (g *idSource) next() (id socketID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.left == 0 {
		_, _ = rand.Read(g.random[:]) // never fails (crypto/rand)
		g.left = len(g.random)
	}
	g.left -= idRandom
	raw := g.random[g.left : g.left+idRandom]
	base64.RawURLEncoding.Encode(id[:], raw)
	clear(raw) // nobody is to find it there
	return id
}

// key folds an id to what the table of a namespace is keyed by.
func (id *socketID) key() uint64 {
	a := binary.LittleEndian.Uint64(id[0:])
	b := binary.LittleEndian.Uint64(id[8:])
	c := uint64(binary.LittleEndian.Uint32(id[16:]))
	hi, lo := bits.Mul64(a^0x9e3779b97f4a7c15, b^bits.RotateLeft64(c, 32)^0xd1b54a32d192ed03)
	return hi ^ lo ^ c
}

// parseID converts the text of an id; false for what cannot be one.
func parseID(s string) (id socketID, ok bool) {
	if len(s) != idLen {
		return id, false
	}
	copy(id[:], s)
	return id, true
}

// socketTable finds the connected sockets of a namespace by id. The map is keyed
// by 8 bytes, so that an entry costs 16 and not 28; an id whose key is taken is
// refused at insertion and made anew.
type socketTable struct {
	mu    sync.RWMutex
	byKey map[uint64]*Socket // guarded by mu
}

// add enters s; false when its key is taken.
func (t *socketTable) add(s *Socket) bool {
	k := s.id.key()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byKey[k] != nil {
		return false
	}
	if t.byKey == nil {
		t.byKey = make(map[uint64]*Socket)
	}
	t.byKey[k] = s
	return true
}

func (t *socketTable) remove(s *Socket) {
	k := s.id.key()
	t.mu.Lock()
	if t.byKey[k] == s {
		delete(t.byKey, k)
	}
	t.mu.Unlock()
}

// find returns the connected socket with this id, or nil.
func (t *socketTable) find(id string) *Socket {
	want, ok := parseID(id)
	if !ok {
		return nil
	}
	t.mu.RLock()
	s := t.byKey[want.key()]
	t.mu.RUnlock()
	if s == nil || s.id != want {
		return nil
	}
	return s
}

// all returns the connected sockets, in no order.
func (t *socketTable) all() []*Socket {
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := make([]*Socket, 0, len(t.byKey))
	for _, s := range t.byKey {
		list = append(list, s)
	}
	return list
}

func (t *socketTable) len() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return len(t.byKey)
}
