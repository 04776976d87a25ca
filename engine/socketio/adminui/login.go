package adminui

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"golang.org/x/crypto/bcrypt"
)

// What a client that is not let in is told. The first is Node's text, by which the page
// knows to ask for the password again.
var (
	errCredentials = errors.New("invalid credentials")
	errTooMany     = errors.New("too many attempts, try again later")
)

// fresh is the id of the session that a login has begun, for the connect function to
// send.
var fresh = socketio.NewKey[string]()

// credentials are what a client says of itself: one of the two.
type credentials struct {
	Username  string `json:"username"`
	Password  string `json:"password"`
	SessionID string `json:"sessionId"`
}

// login decides who is an admin.
type login struct {
	options *Options // immutable
	failed  *throttle
	turn    chan struct{} // holds a token while a password is checked
	waiting atomic.Int64

	passwords, sessions, refused, throttled atomic.Uint64
}

func newLogin(o *Options) *login {
	return &login{options: o, failed: newThrottle(o.LoginBurst, o.LoginInterval), turn: make(chan struct{}, 1)}
}

// admit is the namespace's middleware.
func (l *login) admit(ctx context.Context, s *socketio.Socket) error {
	if l.options.NoAuth {
		return nil
	}
	var c credentials
	if err := s.DecodeAuth(&c); err != nil {
		l.refused.Add(1)
		return errCredentials
	}
	if c.SessionID != "" && l.known(ctx, c.SessionID) {
		l.sessions.Add(1)
		return nil
	}
	address := s.Handshake().Address
	err := l.check(ctx, address, &c)
	if err != nil {
		l.options.Logger.Warn("adminui: login refused", "address", address, "reason", err)
		return err
	}
	l.passwords.Add(1)
	l.options.Logger.Info("adminui: login", "address", address, "socket", s.ID())
	id := rand.Text()
	if err := l.options.Sessions.Save(ctx, id); err != nil {
		l.options.Logger.Warn("adminui: the session is not kept", "error", err)
		return nil
	}
	fresh.Set(s, id)
	return nil
}

// known asks the store. One that fails costs the admin another login.
func (l *login) known(ctx context.Context, id string) bool {
	ok, err := l.options.Sessions.Has(ctx, id)
	if err != nil {
		l.options.Logger.Warn("adminui: looking for a session", "error", err)
		return false
	}
	return ok
}

// check compares user name and password. Without either it costs nothing; a wrong name
// takes as long as a wrong password.
func (l *login) check(ctx context.Context, address string, c *credentials) error {
	if c.Username == "" || c.Password == "" {
		l.refused.Add(1)
		return errCredentials
	}
	if !l.failed.take(address) {
		l.throttled.Add(1)
		return errTooMany
	}
	same, err := l.compare(ctx, c.Password)
	if err != nil {
		l.throttled.Add(1)
		return err
	}
	if subtle.ConstantTimeCompare([]byte(c.Username), []byte(l.options.Username)) != 1 || !same {
		l.refused.Add(1)
		return errCredentials
	}
	l.failed.giveBack(address)
	return nil
}

// compare waits for its turn and checks the password, some 50 ms of a processor.
func (l *login) compare(ctx context.Context, password string) (same bool, err error) {
	if l.waiting.Add(1) > int64(l.options.MaxLogins) {
		l.waiting.Add(-1)
		return false, errTooMany
	}
	defer l.waiting.Add(-1)
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	return bcrypt.CompareHashAndPassword([]byte(l.options.PasswordHash), []byte(password)) == nil, nil
}
