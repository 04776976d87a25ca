package adminui

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// UI is the admin namespace of one server.
type UI struct {
	server   *socketio.Server    // immutable
	options  Options             // immutable
	admins   *socketio.Namespace // immutable
	features []string            // immutable
	login    *login
	events   *meter

	// order is held while what admins are told changes, and while they are told: so every
	// admin is told of one thing after the other.
	order   sync.Mutex
	present map[*socketio.Socket]struct{} // admins of this server; guarded by order
	lease   time.Time                     // until when another server's admins look; guarded by order
	timer   *time.Timer                   // of the next round; nil while nobody looks; guarded by order
	since   totals                        // of the last round; guarded by order

	mu    sync.RWMutex
	hooks map[*socketio.Namespace]*hook // guarded by mu
	board *board                        // guarded by mu and order: one to read, both to write

	watching atomic.Bool // somebody looks; written with order held
	count    atomic.Int64
	commands atomic.Uint64
}

// Instrument makes the admin namespace, and returns an error where the options do not
// say who may enter it. Call it once, before Listen. Node: instrument.
func Instrument(server *socketio.Server, o Options) (*UI, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	u := &UI{
		server: server, options: o, features: o.features(), events: newMeter(o.EventRate),
		present: make(map[*socketio.Socket]struct{}), hooks: make(map[*socketio.Namespace]*hook),
		board: newBoard(o.MaxSockets),
	}
	u.login = newLogin(&u.options)
	u.admins = server.Of(o.Namespace)
	u.admins.Use(u.login.admit)
	u.admins.OnConnect(u.welcome)
	u.admins.OnDisconnect(u.farewell)
	if !o.ReadOnly {
		u.register()
	}
	socketio.OnServerSide(u.admins, lookingElsewhere, u.extend)
	server.OnNewNamespace(u.onNewNamespace)
	return u, nil
}

// welcome tells a new admin what there is.
func (u *UI) welcome(ctx context.Context, s *socketio.Socket) error {
	u.order.Lock()
	defer u.order.Unlock()
	u.present[s] = struct{}{}
	u.count.Store(int64(len(u.present)))
	if id := fresh.Get(s); id != "" {
		fresh.Delete(s)
		if err := s.Emit("session", id); err != nil {
			return err
		}
	}
	if err := s.Emit("config", config{u.features}); err != nil {
		return err
	}
	first := !u.watching.Load()
	u.watch()
	if u.options.Mode == Development {
		if err := u.showAll(ctx, s, first); err != nil {
			return err
		}
	}
	return s.Emit("server_stats", u.stats(nil))
}

// showAll sends a new admin all sockets, and the others too, where they were told of
// fewer. Called with order held.
func (u *UI) showAll(ctx context.Context, s *socketio.Socket, first bool) error {
	more := u.fill()
	all := append(u.board.views(), u.elsewhere(ctx)...)
	if more && !first {
		return u.admins.Emit("all_sockets", all)
	}
	return s.Emit("all_sockets", all)
}

// config says what an admin may do.
type config struct {
	SupportedFeatures []string `json:"supportedFeatures"`
}

func (u *UI) farewell(_ context.Context, s *socketio.Socket, _ socketio.Reason) {
	u.order.Lock()
	defer u.order.Unlock()
	delete(u.present, s)
	u.count.Store(int64(len(u.present)))
	u.restIfUnseen()
}

// tell sends an event to all admins, of other servers, too.
func (u *UI) tell(event string, args ...any) {
	if err := u.admins.Emit(event, args...); err != nil {
		u.options.Logger.Debug("adminui: telling admins", "event", event, "error", err)
	}
}

// Stats is a snapshot of a UI's numbers.
type Stats struct {
	Admins        int64  // connected to this server
	Shown         int    // sockets that they are shown, in Development
	Passwords     uint64 // logins with the password
	Sessions      uint64 // logins with a session that a password had begun
	Refused       uint64 // logins with something else
	Throttled     uint64 // logins that were too many
	Commands      uint64 // what admins changed
	EventsDropped uint64 // events beyond Options.EventRate, not shown
}

// Stats returns the numbers of this moment.
func (u *UI) Stats() Stats {
	u.mu.RLock()
	shown := len(u.board.shown)
	u.mu.RUnlock()
	return Stats{
		Admins: u.count.Load(), Shown: shown,
		Passwords: u.login.passwords.Load(), Sessions: u.login.sessions.Load(),
		Refused: u.login.refused.Load(), Throttled: u.login.throttled.Load(),
		Commands: u.commands.Load(), EventsDropped: u.events.dropped.Load(),
	}
}
