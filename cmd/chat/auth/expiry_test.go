package auth_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// at is a time as the wire has it.
func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// lasting is a token that ends then.
func lasting(d time.Duration, more ...any) string {
	return good(append([]any{"exp", time.Now().Add(d).Unix()}, more...)...)
}

// inBubble runs a test under a clock of its own.
func inBubble(t *testing.T, o auth.Options, so socketio.Options, test func(server *socketiotest.Server, g *auth.Guard)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		server, g := guarded(t, o, so)
		server.Patience = 24 * time.Hour
		test(server, g)
	})
}

func TestASocketEndsWithItsToken(t *testing.T) {
	inBubble(t, auth.Options{Secret: secret, Warn: true}, socketio.Options{}, func(server *socketiotest.Server, g *auth.Guard) {
		began := time.Now()
		c := server.Connect(with(lasting(time.Minute)))
		c.Expect("expiring", map[string]string{"at": at(began.Add(time.Minute))})
		if got := time.Since(began); got != 30*time.Second {
			t.Errorf("told after %v", got)
		}
		c.Expect("expired")
		if why := c.Disconnected(); why != socketiotest.ServerDisconnect || time.Since(began) != time.Minute {
			t.Errorf("%s after %v", why, time.Since(began))
		}
		counted(t, g, map[string]uint64{"allowed": 1})
	})
}

func TestWithoutWarningASocketEndsAllTheSame(t *testing.T) {
	inBubble(t, auth.Options{Secret: secret}, socketio.Options{}, func(server *socketiotest.Server, _ *auth.Guard) {
		c := server.Connect(with(lasting(time.Minute)))
		c.Expect("expired")
		c.Disconnected()
	})
}

func TestARefreshedSocketStays(t *testing.T) {
	inBubble(t, auth.Options{Secret: secret, Warn: true}, socketio.Options{}, func(server *socketiotest.Server, g *auth.Guard) {
		began := time.Now()
		c := server.Connect(with(lasting(time.Minute)))
		for range 3 {
			c.Expect("expiring")
			end := time.Now().Add(time.Minute)
			c.Ask("refresh", lasting(time.Minute, "name", "Ann B.")).Expect(map[string]string{"at": at(end)})
			if who := auth.Of(c.Socket()); who.Name != "Ann B." || !who.Expires.Equal(end) {
				t.Errorf("%+v", who)
			}
		}
		c.Expect("expiring")
		c.Expect("expired")
		c.Disconnected()
		if got := time.Since(began); got != 150*time.Second {
			t.Errorf("it ended after %v", got)
		}
		counted(t, g, map[string]uint64{"allowed": 1, "refreshed": 3})
	})
}

// A token that does not do leaves the old one's time as it was.
func TestABadRefreshChangesNothing(t *testing.T) {
	inBubble(t, auth.Options{Secret: secret}, socketio.Options{}, func(server *socketiotest.Server, g *auth.Guard) {
		began := time.Now()
		c := server.Connect(with(lasting(time.Minute)))
		for _, tt := range []struct {
			arg         any
			error, code string
		}{
			{"rubbish", "invalid token", "token_invalid"},
			{7, "invalid token", "token_invalid"},
			{map[string]string{"token": "x"}, "invalid token", "token_invalid"},
			{nil, "token required", "token_required"},
			{"", "token required", "token_required"},
			{lasting(-time.Minute), "token expired", "token_expired"},
			{lasting(time.Hour, "sub", "bob"), "the token is somebody else's", "other_subject"},
		} {
			c.Ask("refresh", tt.arg).Expect(map[string]string{"error": tt.error, "code": tt.code})
			time.Sleep(time.Second)
		}
		requireIn(t, c, "ann")
		c.Expect("expired")
		if time.Since(began) != time.Minute {
			t.Errorf("it ended after %v", time.Since(began))
		}
		c.Disconnected()
		counted(t, g, map[string]uint64{"allowed": 1, "invalid": 4, "required": 2, "expired": 1})
	})
}

func TestRefreshesHaveARate(t *testing.T) {
	inBubble(t, auth.Options{Secret: secret}, socketio.Options{}, func(server *socketiotest.Server, g *auth.Guard) {
		c := server.Connect(with(lasting(time.Minute)))
		token := lasting(time.Hour)
		c.Ask("refresh", "rubbish").Expect(map[string]string{"error": "invalid token", "code": "token_invalid"})
		for range 100 {
			c.Ask("refresh", token).Expect(map[string]string{"error": "too many refreshes, wait a second", "code": "too_soon"})
		}
		time.Sleep(time.Second)
		c.EmitAck("refresh", token)
		counted(t, g, map[string]uint64{"allowed": 1, "invalid": 1, "too_soon": 100, "refreshed": 1})
	})
}

func TestATokenWithoutEndTakesTheEndAway(t *testing.T) {
	inBubble(t, auth.Options{Secret: secret, AllowForever: true}, socketio.Options{}, func(server *socketiotest.Server, _ *auth.Guard) {
		c := server.Connect(with(lasting(time.Minute)))
		c.Ask("refresh", good("exp", nil)).Expect(map[string]string{})
		time.Sleep(time.Hour)
		requireIn(t, c, "ann")
		if !c.Socket().Connected() {
			t.Error("it is gone")
		}
	})
}

// With recovery, a socket keeps who it is and when it ends, middlewares or not.
func TestARecoveredSocketIsWhoItWas(t *testing.T) {
	for _, run := range []bool{false, true} {
		t.Run(map[bool]string{false: "middlewares skipped", true: "middlewares run"}[run], func(t *testing.T) {
			so := socketio.Options{ConnectionStateRecovery: &socketio.Recovery{RunMiddlewares: run}}
			inBubble(t, auth.Options{Secret: secret}, so, func(server *socketiotest.Server, _ *auth.Guard) {
				began := time.Now()
				c := server.Connect(with(lasting(time.Minute)))
				if err := c.Socket().Emit("hello"); err != nil {
					t.Fatal(err)
				}
				c.Expect("hello")
				c.Close()
				time.Sleep(10 * time.Second)
				back := c.Reconnect()
				if !back.Recovered() {
					t.Error("not recovered")
				}
				requireIn(t, back, "ann")
				back.Expect("expired")
				if got := time.Since(began); got != time.Minute {
					t.Errorf("it ended after %v", got)
				}
				back.Disconnected()
			})
		})
	}
}

// Its token has expired while it was away: it is not recovered, and the token is refused.
func TestAnExpiredSocketIsNotRecovered(t *testing.T) {
	for _, run := range []bool{false, true} {
		t.Run(map[bool]string{false: "middlewares skipped", true: "middlewares run"}[run], func(t *testing.T) {
			so := socketio.Options{ConnectionStateRecovery: &socketio.Recovery{RunMiddlewares: run}}
			inBubble(t, auth.Options{Secret: secret}, so, func(server *socketiotest.Server, _ *auth.Guard) {
				c := server.Connect(with(lasting(time.Minute)))
				if err := c.Socket().Emit("hello"); err != nil {
					t.Fatal(err)
				}
				c.Expect("hello")
				time.Sleep(40 * time.Second)
				c.Close()
				time.Sleep(30 * time.Second)
				requireRefused(t, c.Reconnect(), "token expired", "token_expired")
			})
		})
	}
}

// Whose key was taken away meanwhile is not let in again, where middlewares run.
func TestARevokedKeyEndsRecovery(t *testing.T) {
	so := socketio.Options{ConnectionStateRecovery: &socketio.Recovery{RunMiddlewares: true}}
	inBubble(t, auth.Options{Secret: secret}, so, func(server *socketiotest.Server, g *auth.Guard) {
		c := server.Connect(with(lasting(time.Minute)))
		if err := c.Socket().Emit("hello"); err != nil {
			t.Fatal(err)
		}
		c.Expect("hello")
		c.Close()
		if err := g.Reload(auth.Options{Secret: "quite another secret than it was before"}); err != nil {
			t.Fatal(err)
		}
		requireRefused(t, c.Reconnect(), "invalid token", "token_invalid")
	})
}
