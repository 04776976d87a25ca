package auth

import (
	"net/http"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// BreakerFailures are those after which nobody is asked.
const BreakerFailures = breakerFailures

// Signature is what X-Fanfare-Signature has.
var Signature = signature

// TokenOf is where the guard looks for a token.
func TokenOf(auth []byte, h http.Header, cookie string) (string, error) {
	return tokenOf(&socketio.Handshake{Auth: auth, Headers: h}, cookie)
}

// Try verifies with keys that are there.
func (g *Guard) Try(token string) (Identity, error) {
	p, _, err := g.rules.Load().tokens.try(token)
	return p.Identity, refused(err)
}

// Awaiting is how many wait for the key set.
func (g *Guard) Awaiting() int {
	k := g.rules.Load().tokens.remote
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.awaiting
}

// Moment reads a time of the backend's.
func Moment(b []byte) (time.Time, error) {
	var m moment
	err := m.UnmarshalJSON(b)
	return m.Time, err
}

// Breaker is a breaker, and tests of it.
type Breaker struct{ breaker }

func (b *Breaker) ask(t *testing.T, v verdict) {
	t.Helper()
	probe, ok := b.allow()
	if !ok {
		t.Fatal("it is open")
	}
	if probe {
		b.RequireOpen(t) // for all others
	}
	b.told(v, probe)
}

// Fail asks in vain.
func (b *Breaker) Fail(t *testing.T) { t.Helper(); b.ask(t, verdictFailed) }

// Succeed asks.
func (b *Breaker) Succeed(t *testing.T) { t.Helper(); b.ask(t, verdictRefused) }

// RequireOpen wants it to let nobody ask.
func (b *Breaker) RequireOpen(t *testing.T) {
	t.Helper()
	if _, ok := b.allow(); ok {
		t.Fatal("it is closed")
	}
}
