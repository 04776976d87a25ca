package auth

import (
	"context"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Expiring is sent as "expiring" to a client whose time is nearly over.
type Expiring struct {
	At time.Time `json:"at"` // when it will be disconnected
}

// Refreshed acknowledges "refresh": the new end, or why there is none.
type Refreshed struct {
	At    *time.Time `json:"at,omitempty"` // nil with a token that does not expire
	Error string     `json:"error,omitempty"`
	Code  string     `json:"code,omitempty"` // as the code of a connect_error
}

// RefreshEvent carries a token: its arguments are nobody's business.
const RefreshEvent = "refresh"

const (
	expiring socketio.Event[Expiring]               = "expiring"   // to a client, in time
	refresh  socketio.Call[socketio.Raw, Refreshed] = RefreshEvent // from it, with a new token
)

// refreshGap is the least time between two refreshes of one socket: each may be a question
// to the backend.
const refreshGap = time.Second

// refreshes is when a socket last came with a new token.
var refreshes = socketio.NewKey[time.Time]()

// keepFresh lets clients bring new tokens while they are connected.
func (g *Guard) keepFresh(n *socketio.Namespace) {
	if g.rules.Load().options.Warn {
		n.OnExpiring(warn)
	}
	socketio.OnAck(n, refresh, g.refresh)
}

func warn(_ context.Context, s *socketio.Socket) error {
	at, ok := s.Expires()
	if !ok {
		return nil
	}
	return expiring.Emit(s, Expiring{At: at})
}

// refresh handles a new token. One that does not do changes nothing: the old one's time
// goes on.
func (g *Guard) refresh(ctx context.Context, s *socketio.Socket, raw socketio.Raw) (Refreshed, error) {
	p, err := g.renew(ctx, s, raw)
	if err != nil {
		r := asRefusal(err)
		g.counters.results[r.result].Add(1)
		return Refreshed{Error: r.message, Code: r.code}, nil
	}
	g.counters.results[resultRefreshed].Add(1)
	identities.Set(s, p.Identity)
	s.ExpireAt(p.Expires)
	if p.Expires.IsZero() {
		return Refreshed{}, nil
	}
	return Refreshed{At: &p.Expires}, nil
}

func (g *Guard) renew(ctx context.Context, s *socketio.Socket, raw socketio.Raw) (p pass, err error) {
	now := time.Now()
	if last, ok := refreshes.Lookup(s); ok && now.Sub(last) < refreshGap {
		return pass{}, refusedHaste
	}
	refreshes.Set(s, now)
	token, err := textToken(raw)
	if err == nil && token == "" {
		err = refusedRequired
	}
	if err != nil {
		return pass{}, err
	}
	r := g.rules.Load()
	if r.tokens != nil {
		if p, err = r.judge(ctx, token); err != nil {
			return pass{}, err
		}
	}
	if r.backend != nil {
		if p, err = r.backend.ask(ctx, r.backend.renewal(s, raw, p), p); err != nil {
			return pass{}, err
		}
	}
	if p.isOver() {
		return pass{}, refusedExpired
	}
	return p, sameSubject(s, p)
}
