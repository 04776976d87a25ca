package socketio_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// timedEnd is when and why a socket has ended.
type timedEnd struct {
	id     string
	reason socketio.Reason
	at     time.Time
}

// tellEnds notes all ends.
func tellEnds(v *socketio.Server) <-chan timedEnd {
	ends := make(chan timedEnd, 10_000)
	v.OnDisconnect(func(_ ctxt, s *socketio.Socket, r socketio.Reason) { ends <- timedEnd{s.ID(), r, time.Now()} })
	return ends
}

// inBubble runs a test with a server without a network, under a clock of its own.
func inBubble(t *testing.T, o socketio.Options, test func(t *testing.T, server *socketiotest.Server)) {
	synctest.Test(t, func(t *testing.T) {
		server := socketiotest.NewServer(t, o)
		server.Patience = 24 * time.Hour
		test(t, server)
	})
}

func TestSocketsExpireAtTheirTime(t *testing.T) {
	t.Parallel()
	inBubble(t, socketio.Options{}, func(t *testing.T, server *socketiotest.Server) {
		ends := tellEnds(server.Server)
		c, other := server.Connect(), server.Connect()
		at := time.Now().Add(time.Minute)
		c.Socket().ExpireAt(at)
		if got, ok := c.Socket().Expires(); !ok || !got.Equal(at) {
			t.Errorf("Expires() = %v, %v", got, ok)
		}
		if _, ok := other.Socket().Expires(); ok {
			t.Error("the other has a time")
		}
		if st := server.Stats(); st.Expiring != 1 || st.Expired != 0 {
			t.Errorf("%d expiring, %d expired", st.Expiring, st.Expired)
		}
		id := c.ID()
		c.Expect("expired")
		if e := c.Disconnected(); e != socketiotest.ServerDisconnect {
			t.Errorf("the client sees %q", e)
		}
		if e := <-ends; e != (timedEnd{id, socketio.ReasonExpired, at}) {
			t.Errorf("%+v, want the end at %v", e, at)
		}
		if st := server.Stats(); st.Expiring != 0 || st.Expired != 1 {
			t.Errorf("%d expiring, %d expired", st.Expiring, st.Expired)
		}
		other.ExpectNothing()
		if !other.Socket().Connected() {
			t.Error("the other is gone, too")
		}
	})
}

// The hook asks the client for a new token, in time, again and again.
func TestOnExpiringRefreshes(t *testing.T) {
	t.Parallel()
	inBubble(t, socketio.Options{ExpiryNotice: 10 * time.Second}, func(t *testing.T, server *socketiotest.Server) {
		began := time.Now()
		var asked []time.Duration
		server.Use(func(_ ctxt, s *socketio.Socket) error { s.ExpireAt(began.Add(time.Minute)); return nil })
		server.OnExpiring(func(ctx ctxt, s *socketio.Socket) error {
			asked = append(asked, time.Since(began))
			args, err := s.EmitWithAck(ctx, "token?")
			var seconds int
			if err := errors.Join(err, args.Decode(&seconds)); err != nil {
				return err
			}
			s.ExpireAt(time.Now().Add(time.Duration(seconds) * time.Second))
			return nil
		})
		c := server.Connect()
		c.Expect("token?").Ack(60) // 50 s after the beginning
		c.Expect("token?").Ack(8)  // 50 s later; half of 8 s is less than the notice
		c.Expect("token?").Ack(3600)
		server.Settle()
		if want := "[50s 1m40s 1m44s]"; fmt.Sprint(asked) != want {
			t.Errorf("asked after %v, want %s", asked, want)
		}
		if !c.Socket().Connected() {
			t.Error("disconnected all the same")
		}
	})
}

// Whatever becomes of the hook, the end is the end.
func TestTheEndDoesNotWaitForOnExpiring(t *testing.T) {
	for _, test := range []struct {
		name string
		hook func(ctx ctxt, s *socketio.Socket) error
		want string
	}{
		{"fails", func(ctxt, *socketio.Socket) error { return errors.New("no token") }, "no token"},
		{"hangs", func(ctx ctxt, _ *socketio.Socket) error { <-ctx.Done(); return nil }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			failures := make(chan error, 1)
			o := socketio.Options{OnError: func(_ ctxt, _ *socketio.Socket, err error) { failures <- err }, ExpiredEvent: "-"}
			inBubble(t, o, func(t *testing.T, server *socketiotest.Server) {
				ends := tellEnds(server.Server)
				server.OnExpiring(test.hook)
				c := server.Connect()
				at := time.Now().Add(time.Minute)
				c.Socket().ExpireAt(at)
				c.Disconnected()
				if e := <-ends; e.reason != socketio.ReasonExpired || !e.at.Equal(at) {
					t.Errorf("%+v", e)
				}
				c.ExpectNothing() // ExpiredEvent says so
				if got := ""; test.want != "" {
					if got = (<-failures).Error(); got != test.want {
						t.Errorf("reported: %q", got)
					}
				}
			})
		})
	}
}

func TestExpireAtIsReplacedAndTakenAway(t *testing.T) {
	t.Parallel()
	inBubble(t, socketio.Options{}, func(t *testing.T, server *socketiotest.Server) {
		ends := tellEnds(server.Server)
		c := server.Connect()
		s := c.Socket()
		s.ExpireAt(time.Now().Add(time.Minute))
		s.ExpireAt(time.Now().Add(time.Hour))
		time.Sleep(30 * time.Minute)
		s.ExpireAt(time.Time{})
		if n := server.Stats().Expiring; n != 0 {
			t.Errorf("%d expiring", n)
		}
		time.Sleep(time.Hour)
		if len(ends) > 0 {
			t.Error("expired all the same")
		}
		s.ExpireAt(time.Now().Add(-time.Hour))
		c.Disconnected()
		s.ExpireAt(time.Now().Add(time.Hour)) // it is gone
		if n := server.Stats().Expiring; n != 0 {
			t.Errorf("%d expiring", n)
		}
	})
}

// A token that is over before its socket is let in: the socket is, and then not any more.
func TestSocketsExpireInTheirMiddleware(t *testing.T) {
	t.Parallel()
	inBubble(t, socketio.Options{}, func(t *testing.T, server *socketiotest.Server) {
		server.Use(func(_ ctxt, s *socketio.Socket) error {
			s.ExpireAt(time.Now().Add(time.Second))
			time.Sleep(30 * time.Second)
			return nil
		})
		server.Of("/no").Use(func(_ ctxt, s *socketio.Socket) error {
			s.ExpireAt(time.Now().Add(time.Second))
			return errors.New("refused")
		})
		began := time.Now()
		c := server.Connect()
		c.Expect("expired")
		if took := time.Since(began); took < 30*time.Second || took > 31*time.Second {
			t.Errorf("after %v", took)
		}
		_ = server.Connect(socketiotest.ConnectOptions{Namespace: "/no"}).Refused()
		if n := server.Stats().Expiring; n != 0 {
			t.Errorf("%d expiring", n)
		}
	})
}

// Many sockets, with times that are set again and taken away: each ends when it should,
// or not at all.
func TestEverySocketExpiresAtItsOwnTime(t *testing.T) {
	t.Parallel()
	inBubble(t, socketio.Options{}, func(t *testing.T, server *socketiotest.Server) {
		ends := tellEnds(server.Server)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		random := rand.New(rand.NewPCG(seed, 0))
		want := make(map[string]time.Time)
		began := time.Now()
		for range 500 {
			c := server.Connect()
			for range 1 + random.IntN(4) {
				switch random.IntN(6) {
				case 0:
					c.Socket().ExpireAt(time.Time{})
					delete(want, c.ID())
				default:
					at := began.Add(time.Duration(random.IntN(3600)) * time.Second)
					c.Socket().ExpireAt(at)
					want[c.ID()] = at
				}
			}
			if random.IntN(10) == 0 {
				delete(want, c.ID())
				c.Disconnect()
				server.Settle()
				if e := <-ends; e.reason != socketio.ReasonClientNamespaceDisconnect {
					t.Fatalf("%+v", e)
				}
			}
		}
		if n := server.Stats().Expiring; n != len(want) {
			t.Errorf("%d expiring, want %d", n, len(want))
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		for len(ends) > 0 {
			e := <-ends
			if at, ok := want[e.id]; !ok || !e.at.Equal(at) && e.at.Sub(began) > 10*time.Millisecond || e.reason != socketio.ReasonExpired {
				t.Errorf("%+v, want %v", e, at)
			}
			delete(want, e.id)
		}
		if len(want) > 0 {
			t.Errorf("%d did not expire", len(want))
		}
	})
}

func TestRecoveryKeepsTheTime(t *testing.T) {
	t.Parallel()
	o := socketio.Options{ConnectionStateRecovery: &socketio.Recovery{MaxDisconnectionDuration: time.Hour}}
	inBubble(t, o, func(t *testing.T, server *socketiotest.Server) {
		at := time.Now().Add(10 * time.Minute)
		server.Use(func(_ ctxt, s *socketio.Socket) error { s.ExpireAt(at); return nil })
		c := server.Connect()
		c.Close()
		server.Settle()
		if n := server.Stats().Expiring; n != 0 {
			t.Errorf("%d expiring while nobody is there", n)
		}
		time.Sleep(time.Minute)
		back := c.Reconnect()
		if !back.Recovered() {
			t.Fatal("not recovered before its time")
		}
		if got, ok := back.Socket().Expires(); !ok || !got.Equal(at) {
			t.Errorf("Expires() = %v, %v, want %v", got, ok, at)
		}
		back.Expect("expired")
		if !time.Now().Equal(at) {
			t.Errorf("at %v, want %v", time.Now(), at)
		}
		back.Close()
		at = time.Now().Add(time.Minute)
		if again := back.Reconnect(); again.Recovered() {
			t.Error("recovered after it expired")
		} else {
			again.Close()
			server.Settle()
			time.Sleep(2 * time.Minute)
			at = time.Now().Add(time.Minute)
			if late := again.Reconnect(); late.Recovered() {
				t.Error("recovered although its time was over meanwhile")
			}
		}
		if n := server.Stats().Recovery.Refused; n != 1 {
			t.Errorf("%d refused", n)
		}
	})
}

func TestExpiredEventMustBeFree(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("New took a reserved name")
		}
	}()
	socketio.New(socketio.Options{ExpiredEvent: "disconnect"})
}

// What a server without such times pays is nothing.
func TestSocketsWithoutATimeHaveNoEntry(t *testing.T) {
	t.Parallel()
	inBubble(t, socketio.Options{}, func(t *testing.T, server *socketiotest.Server) {
		c := server.Connect()
		if socketio.HasRare(c.Socket()) || server.Stats().Expiring != 0 {
			t.Error("something hangs on an idle socket")
		}
	})
}
