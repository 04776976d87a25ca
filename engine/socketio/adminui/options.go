package adminui

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Mode says how much admins are shown.
type Mode uint8

const (
	// Production shows numbers: of servers, namespaces, connections and bytes.
	Production Mode = iota
	// Development shows every socket, room and event as well, within bounds.
	Development
)

// Errors of Instrument.
var (
	// ErrNoAuth: there is no login, and NoAuth does not say that this is meant.
	ErrNoAuth = errors.New("adminui: give Username and PasswordHash, or set NoAuth")
	// ErrHash: PasswordHash is no bcrypt hash.
	ErrHash = errors.New("adminui: PasswordHash is no bcrypt hash ($2a$, $2b$ or $2y$)")
	// ErrOption: a number is negative.
	ErrOption = errors.New("adminui: options must not be negative")
)

// Options configure a UI. The zero value of a field means its default.
type Options struct {
	// Namespace is where admins connect; default "/admin". Node: namespaceName.
	Namespace string
	// Username and PasswordHash are the login; the hash is bcrypt's. Required, unless
	// NoAuth is set. Node: auth.username, auth.password.
	Username     string
	PasswordHash string
	// NoAuth lets everybody in. Node: auth: false.
	NoAuth bool
	// ReadOnly keeps admins from changing anything. Node: readonly.
	ReadOnly bool
	// ServerID tells servers of a cluster apart; default the host's name. Node: serverId.
	ServerID string
	// Mode is Production or Development; default Production. Node: mode, whose default
	// is the NODE_ENV or development.
	Mode Mode

	// Sessions keeps what lets an admin in again without the password; default in the
	// memory of this server. Node: store.
	Sessions Store
	// SessionTTL is how long a session of the default store is good for; default 24 h.
	SessionTTL time.Duration
	// MaxSessions is how many the default store keeps, the oldest go first; default 1,024.
	MaxSessions int

	// LoginBurst is how many failed logins an address may have in a row; default 10. An
	// IPv6 address is its /64.
	LoginBurst int
	// LoginInterval is how long it takes until it may have one more; default 10 s.
	LoginInterval time.Duration
	// MaxLogins is how many logins may wait for a password to be checked, which is done
	// one at a time because bcrypt is slow on purpose; default 16.
	MaxLogins int

	// MaxSockets is how many sockets are shown in Development; default 500. Their number
	// is always right.
	MaxSockets int
	// MaxNamespaces is how many namespaces server_stats names; default 500.
	MaxNamespaces int
	// EventRate is how many events per second are shown in Development; default 200.
	EventRate int
	// MaxEventBytes is how large an event may be to be shown whole; default 16 KiB.
	MaxEventBytes int
	// HideEvents are names of events that are shown without their arguments, in both
	// directions, such as one that carries a token; default none.
	HideEvents []string

	// Logger is told of logins and of what admins change; default slog.Default.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	for _, n := range []*struct {
		value *int
		def   int
	}{
		{&o.MaxSessions, 1024}, {&o.LoginBurst, 10}, {&o.MaxLogins, 16},
		{&o.MaxSockets, 500}, {&o.MaxNamespaces, 500}, {&o.EventRate, 200}, {&o.MaxEventBytes, 16 << 10},
	} {
		if *n.value < 0 {
			return o, ErrOption
		}
		if *n.value == 0 {
			*n.value = n.def
		}
	}
	if o.SessionTTL < 0 || o.LoginInterval < 0 || o.Mode > Development {
		return o, ErrOption
	}
	o.Namespace = orElse(o.Namespace, "/admin")
	o.SessionTTL = orElse(o.SessionTTL, 24*time.Hour)
	o.LoginInterval = orElse(o.LoginInterval, 10*time.Second)
	if o.ServerID == "" {
		o.ServerID = hostname()
	}
	if o.Sessions == nil {
		o.Sessions = newMemoryStore(o.MaxSessions, o.SessionTTL)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o, o.checkAuth()
}

func (o *Options) checkAuth() error {
	if o.NoAuth {
		return nil
	}
	if o.Username == "" || o.PasswordHash == "" {
		return ErrNoAuth
	}
	if _, err := bcrypt.Cost([]byte(o.PasswordHash)); err != nil {
		return fmt.Errorf("%w: %w", ErrHash, err)
	}
	return nil
}

func orElse[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// hostname is never empty, as the UI tells servers apart by it.
func hostname() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}
