package auth

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// ErrSwitch: whether there is something to prove cannot change while the server runs.
var ErrSwitch = errors.New("auth: keys and webhook cannot be taken away from, or given to, a server that had some or none: start it again")

// errUnproven ends a socket that no Guard has let in.
var errUnproven = errors.New("auth: a socket that nobody let in")

// Guard decides who is let in. Its methods are safe for concurrent use.
type Guard struct {
	enabled  bool // immutable
	counters counters
	rules    atomic.Pointer[rules] // nil where it is not enabled

	reloading sync.Mutex // held while rules are made and replaced
	closed    bool       // guarded by reloading
}

// rules are what an operator wants; immutable.
type rules struct {
	options Options
	tokens  *tokens  // nil where there are no keys
	backend *backend // nil where there is none
}

// New returns a guard with the keys that the options name. A key set that cannot be
// fetched is no error: until it can, its clients are refused and the log says why. Close
// ends what it does in the background.
func New(o Options) (*Guard, error) {
	g := &Guard{enabled: o.Enabled()}
	if !g.enabled {
		return g, nil
	}
	r, err := g.newRules(o, true)
	if err != nil {
		return nil, err
	}
	g.rules.Store(r)
	return g, nil
}

func (g *Guard) newRules(o Options, first bool) (*rules, error) {
	o = o.withDefaults()
	tokens, err := newTokens(&o, &g.counters, first)
	if err != nil {
		return nil, err
	}
	backend, err := newBackend(&o.Webhook, &g.counters)
	if err != nil {
		if tokens != nil {
			tokens.close()
		}
		return nil, err
	}
	return &rules{options: o, tokens: tokens, backend: backend}, nil
}

// Reload replaces the options, reads the files again and fetches the key set, which takes
// some seconds at most. Where something of that fails, all of the old stays in use. Who
// is connected stays so; Warn is as it was.
func (g *Guard) Reload(o Options) error {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	if o.Enabled() != g.enabled {
		return ErrSwitch
	}
	if !g.enabled || g.closed {
		return nil
	}
	o.Warn = g.rules.Load().options.Warn
	r, err := g.newRules(o, false)
	if err != nil {
		return err
	}
	g.rules.Swap(r).close()
	return nil
}

// Close ends what the guard does in the background. It goes on with the keys it has.
func (g *Guard) Close() {
	g.reloading.Lock()
	defer g.reloading.Unlock()
	if r := g.rules.Load(); r != nil && !g.closed {
		g.closed = true
		r.close()
	}
}

func (r *rules) close() {
	if r.tokens != nil {
		r.tokens.close()
	}
	if r.backend != nil {
		r.backend.close()
	}
}

// Protect guards the default namespace and every one that is made from now on, but for
// those of these names, which see to it themselves. Call it once, before anything else is
// registered: what comes after it finds the identity in place. A guard that is not
// enabled registers nothing.
func (g *Guard) Protect(v *socketio.Server, open ...string) {
	if !g.enabled {
		return
	}
	g.guard(v.Of("/"))
	v.OnNewNamespace(func(n *socketio.Namespace) {
		if !slices.Contains(open, n.Name()) {
			g.guard(n)
		}
	})
}

func (g *Guard) guard(n *socketio.Namespace) {
	n.Use(g.admit)
	n.OnConnect(requireProof)
	g.keepFresh(n)
}

// requireProof ends sockets that came without a middleware: recovered ones, whose
// identity did not come along.
func requireProof(_ context.Context, s *socketio.Socket) error {
	if _, ok := identities.Lookup(s); !ok {
		return errUnproven
	}
	return nil
}

// admit is the middleware. It runs on a worker, and may wait there: for the backend, or
// for the key set.
func (g *Guard) admit(ctx context.Context, s *socketio.Socket) error {
	p, err := g.rules.Load().ask(ctx, s)
	if err == nil && s.Recovered() {
		err = sameSubject(s, p)
	}
	if err == nil && p.isOver() {
		err = refusedExpired
	}
	if err != nil {
		return g.refuse(err)
	}
	identities.Set(s, p.Identity)
	s.ExpireAt(p.Expires)
	if err := s.Join(p.rooms...); err != nil {
		return g.refuse(refusedInvalid)
	}
	if p.Subject == "" {
		g.counters.results[resultGuest].Add(1)
	} else {
		g.counters.results[resultAllowed].Add(1)
	}
	return nil
}

// refuse counts, and says it in Node's way.
func (g *Guard) refuse(err error) error {
	r := asRefusal(err)
	g.counters.results[r.result].Add(1)
	return r.connectError()
}

// asRefusal returns an error as what it is, or fails closed.
func asRefusal(err error) *refusal {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	return refusedUnavailable
}

// sameSubject keeps a socket that is recovered from becoming somebody else's.
func sameSubject(s *socketio.Socket, p pass) error {
	if before, ok := identities.Lookup(s); ok && before.Subject != p.Subject {
		return refusedSubject
	}
	return nil
}

// ask decides about a client that connects.
func (r *rules) ask(ctx context.Context, s *socketio.Socket) (p pass, err error) {
	h := s.Handshake()
	defer s.ForgetHandshake() // tokens are not kept, nor the memory of them
	if r.tokens != nil {
		token, err := tokenOf(h, r.options.Cookie)
		if err != nil {
			return pass{}, err
		}
		if p, err = r.judge(ctx, token); err != nil {
			return pass{}, err
		}
	}
	if r.backend != nil {
		return r.backend.ask(ctx, r.backend.opening(s, h, p), p)
	}
	return p, nil
}

// isOver reports that the backend lets in for a time that has passed.
func (p *pass) isOver() bool { return !p.Expires.IsZero() && !p.Expires.After(time.Now()) }

// judge decides about a token; "" stands for none.
func (r *rules) judge(ctx context.Context, token string) (pass, error) {
	switch {
	case token != "":
		return r.tokens.verify(ctx, token)
	case r.options.Optional:
		return pass{}, nil
	}
	return pass{}, refusedRequired
}

// earlier returns the earlier of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
