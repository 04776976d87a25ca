package engine

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"sync"
)

// sessionID is 120 random bits as 20 characters of base64url.
type sessionID [20]byte

func newSessionID() (id sessionID) {
	var raw [15]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	base64.RawURLEncoding.Encode(id[:], raw[:])
	return id
}

// key is the part of the id that tables go by: 48 random bits.
func (id *sessionID) key() uint64 { return binary.LittleEndian.Uint64(id[:]) }

// tableShards is how many locks the session table has.
const tableShards = 16

// table finds sessions by id, from any loop. Keys are eight bytes of the id, for
// memory's sake; ids whose keys collide are not given out.
type table struct {
	shards [tableShards]struct {
		mu       sync.Mutex
		sessions map[uint64]*Session // guarded by mu
		_        [40]byte            // a cache line each
	}
	names names
	tag   []byte // immutable: in front of every id on the wire, with its separator; empty for none
}

// add gives s an id of its own and enters it.
func (t *table) add(s *Session) {
	for {
		s.id = newSessionID()
		sh := &t.shards[s.id[19]%tableShards]
		sh.mu.Lock()
		if sh.sessions == nil {
			sh.sessions = make(map[uint64]*Session)
		}
		_, taken := sh.sessions[s.id.key()]
		if !taken {
			sh.sessions[s.id.key()] = s
		}
		sh.mu.Unlock()
		if !taken {
			return
		}
	}
}

// get returns the session with that id, as it is on the wire, or nil.
func (t *table) get(sid []byte) *Session {
	sid, ours := bytes.CutPrefix(sid, t.tag)
	if !ours {
		return nil
	}
	if s := t.names.get(sid); s != nil || len(sid) != len(sessionID{}) {
		return s
	}
	id := sessionID(sid)
	sh := &t.shards[id[19]%tableShards]
	sh.mu.Lock()
	s := sh.sessions[id.key()]
	sh.mu.Unlock()
	if s == nil || subtle.ConstantTimeCompare(s.id[:], sid) == 0 {
		return nil
	}
	return s
}

func (t *table) remove(s *Session) {
	if s.has(flagNamed) {
		t.names.remove(s)
		return
	}
	sh := &t.shards[s.id[19]%tableShards]
	sh.mu.Lock()
	delete(sh.sessions, s.id.key())
	sh.mu.Unlock()
}
