package engine

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// A session has room for an id of our own making only. One that the application named
// (Options.GenerateID) is found by its name in a second table, and keeps an id of ours by
// which its name is found.

// maxNameBytes bounds a session's name.
const maxNameBytes = 64

// givenName is the name of one session, from before there is one.
type givenName struct {
	name    string   // immutable
	session *Session // guarded by names.mu; nil while it is only reserved
}

// names are the ids that the application gave. Safe for concurrent use.
type names struct {
	used   atomic.Bool // there was one ever
	mu     sync.Mutex
	byName map[string]*givenName // guarded by mu: reserved, or of living sessions
	byID   map[sessionID]string  // guarded by mu: of sessions that somebody still knows
}

// reserve takes a name that nobody has.
func (t *names) reserve(name string) (*givenName, error) {
	if !validName(name) {
		return nil, fmt.Errorf("%w: %.100q", ErrBadSessionID, name)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byName[name] != nil {
		return nil, ErrSessionIDTaken
	}
	if t.byName == nil {
		t.byName, t.byID = make(map[string]*givenName), make(map[sessionID]string)
	}
	g := &givenName{name: name}
	t.byName[name] = g
	t.used.Store(true)
	return g, nil
}

// release gives a name back that became no session's.
func (t *names) release(g *givenName) {
	if g == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if g.session == nil && t.byName[g.name] == g {
		delete(t.byName, g.name)
	}
}

// give makes the name s's, for as long as anybody knows s.
func (t *names) give(g *givenName, s *Session) {
	s.id = newSessionID()
	s.set(flagNamed)
	t.mu.Lock()
	defer t.mu.Unlock()
	g.session = s
	t.byID[s.id] = g.name
	runtime.AddCleanup(s, t.forget, s.id)
}

func (t *names) forget(id sessionID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byID, id)
}

// get returns the session of that name, or nil.
func (t *names) get(name []byte) *Session {
	if !t.used.Load() {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if g := t.byName[string(name)]; g != nil {
		return g.session
	}
	return nil
}

// of returns the name of a session that has one.
func (t *names) of(s *Session) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[s.id]
}

// remove makes the name free again; s may still be asked for it.
func (t *names) remove(s *Session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.byName, t.byID[s.id])
}

// validName reports whether a name is 1 to 64 of the characters that a query needs no
// escape for (RFC 3986: unreserved).
func validName(name string) bool {
	if name == "" || len(name) > maxNameBytes {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}
