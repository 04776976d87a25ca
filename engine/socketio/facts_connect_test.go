package socketio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestFact41ConnectIsAnsweredWithAnID(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		w := watch(t, socketio.Options{})
		seen := make(map[string]bool)
		for _, c := range []struct{ send, prefix, auth string }{
			{"40", "40", ""},
			{"40{}", "40", "{}"},
			{`40{"token":"x"}`, "40", `{"token":"x"}`},
			{`40/,{"token":"x"}`, "40", `{"token":"x"}`},
			{"40/other", "40/other,", ""},
			{"40/other,", "40/other,", ""},
			{`40/other,{"token":"y"}`, "40/other,", `{"token":"y"}`},
		} {
			client := dial(t, w.addr)
			id := enter(client, c.send, c.prefix)
			if got := string(receive(t, w.joined).Handshake().Auth); got != c.auth {
				t.Errorf("%s: auth = %q", c.send, got)
			}
			if seen[id] {
				t.Errorf("%s: %s was given before", c.send, id)
			}
			seen[id] = true
		}
		client := dial(t, w.addr)
		a, b := enter(client, "40", "40"), enter(client, "40/other", "40/other,")
		if engine := engineID(client); a == b || a == engine || b == engine {
			t.Errorf("ids %s and %s in the session %s", a, b, engine)
		}
	})
}

// engineID is the secret id of the client's session.
func engineID(c wire) string {
	if q, ok := c.(*poller); ok {
		return q.sid
	}
	_, rest, _ := strings.Cut(c.(*peer).open, `"sid":"`)
	id, _, _ := strings.Cut(rest, `"`)
	return id
}

func TestFact42ConnectTakesAnObjectOrNothing(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		for _, packet := range []string{
			"40[1]", `40"x"`, "40null", "40true", `40{"a":}`, `40{} {}`, "40/other,[1]", `40/other,"x"`, "40/other,null",
		} {
			c := dial(t, w.addr)
			c.send(packet)
			closesSilently(c) // no CONNECT_ERROR
		}
	})
	w.healthy(t)
	if n := len(w.joined); n > 0 {
		t.Errorf("%d were let in", n)
	}
}

func TestFact43TheQueryIsPartOfTheName(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		c.send("40/other?x=1,")
		c.expect(`44/other?x=1,{"message":"Invalid namespace"}`)
		c.send(`40/?x=1,{"a":1}`)
		c.expect(`44/?x=1,{"message":"Invalid namespace"}`)
		enter(c, "40", "40")
	})
}

func TestFact44AnUnknownNamespaceCostsNothing(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		for range 2 { // trying again is no second CONNECT
			c.send("40/nope,")
			c.expect(`44/nope,{"message":"Invalid namespace"}`)
		}
		enter(c, "40", "40")
		c.send(`40/nope,{"token":"x"}`)
		c.expect(`44/nope,{"message":"Invalid namespace"}`)
		echoes(c, 0)
	})
}

func TestFact45MiddlewareErrorsAreTold(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{OnError: func(ctxt, *socketio.Socket, error) {}}))
	admin := io.Of("/admin")
	for _, n := range []*socketio.Namespace{io.Of("/"), admin} {
		n.Use(func(_ context.Context, s *socketio.Socket) error {
			var auth struct{ With string }
			if err := s.DecodeAuth(&auth); err != nil {
				return err
			}
			switch auth.With {
			case "text":
				return errors.New("no <entry>")
			case "data":
				return &socketio.ConnectError{Message: "nope", Data: map[string]int{"code": 7}}
			case "nothing":
				return &socketio.ConnectError{Message: "nope"}
			case "what is not JSON":
				return &socketio.ConnectError{Message: "nope", Data: func() {}}
			}
			return nil
		})
	}
	addr := start(t, io)
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, addr)
		for _, nsp := range []string{"", "/admin,"} {
			for with, want := range map[string]string{
				"text":             `{"message":"no <entry>"}`,
				"data":             `{"message":"nope","data":{"code":7}}`,
				"nothing":          `{"message":"nope"}`,
				"what is not JSON": `{"message":"nope"}`,
			} {
				c.send("40" + nsp + `{"with":"` + with + `"}`)
				c.expect("44" + nsp + want)
			}
			enter(c, "40"+nsp, "40"+nsp) // a refusal is not final
		}
	})
}

// timeoutForTests is long enough for a client to join in time on a busy machine.
const timeoutForTests = 500 * time.Millisecond

// Node says "forced close" for what it closes at once; nobody's OnDisconnect sees
// either, as there is no socket.
func TestFact46WhoJoinsNothingInTimeIsClosed(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{ConnectTimeout: timeoutForTests})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		inTime := dial(t, w.addr)
		enter(inTime, "40", "40")
		inTime.send("41") // who was in once has all the time in the world
		refused, silent := dial(t, w.addr), dial(t, w.addr)
		refused.send("40/nope,")
		refused.expect(`44/nope,{"message":"Invalid namespace"}`)
		closesSilently(refused)
		closesSilently(silent)
		enter(inTime, "40", "40")
		echoes(inTime, 0)
	})
	w.healthy(t)
}

// A client whose middleware takes too long has joined nothing: it is closed, the
// middleware's context is done, and nobody is told of a socket that never was.
func TestSocketsStillInTheirMiddlewareTimeOut(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{ConnectTimeout: 50 * time.Millisecond}))
	finished := make(chan error, 1)
	io.Use(func(ctx ctxt, _ *socketio.Socket) error {
		<-ctx.Done()
		finished <- context.Cause(ctx)
		return nil
	})
	io.OnConnect(func(ctxt, *socketio.Socket) error { t.Error("let in"); return nil })
	io.OnDisconnect(func(ctxt, *socketio.Socket, socketio.Reason) { t.Error("OnDisconnect without OnConnect") })
	addr := start(t, io)
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, addr)
		c.together("40")
		closesSilently(c)
		if err := receive(t, finished); !errors.Is(err, context.Canceled) {
			t.Errorf("cause = %v", err)
		}
	})
	eventually(t, "the workers are idle", func() bool { return io.Stats().Busy == 0 })
}

// Differs from Node, on purpose, where both CONNECTs come at once: two sockets
// there, the first of them orphaned.
func TestFact47ASecondConnectClosesEverything(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		a, b := w.enters(c)
		c.send("40/other")
		closesSilently(c)
		w.ended(t, ending(a, socketio.ReasonForcedClose), ending(b, socketio.ReasonForcedClose))

		c = dial(t, w.addr)
		c.together("40", "40")
		if rest := c.rest(); len(rest) > 1 || len(rest) == 1 && !strings.HasPrefix(rest[0], "40{") {
			t.Errorf("before the close: %q", rest)
		}
		if got := receive(t, w.ends); got.namespace != "/" || got.reason != socketio.ReasonForcedClose {
			t.Errorf("ended: %v", got)
		}
	})
	if got := w.Stats().Sockets; got["/"] != 1 || got["/other"] != 0 {
		t.Errorf("left behind: %v", got)
	}
	w.healthy(t)
}

func TestFact48PacketsForNobodyCloseEverything(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	w.Of("/empty")
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		for _, packet := range []string{
			`42/empty,["x"]`, "42/empty", "42/empty,", "42/nope", `43/empty,1[]`, "41/empty", "41/empty,",
			`42/nope,["x"]`, "41/nope", `451-/empty,["x",{"_placeholder":true,"num":0}]`, `461-/empty,1[]`,
			"44", `44{"message":"x"}`, `44"x"`, `44/other,{"message":"x"}`,
		} {
			c := dial(t, w.addr)
			a, b := w.enters(c)
			c.send(packet)
			closesSilently(c)
			w.ended(t, ending(a, socketio.ReasonForcedClose), ending(b, socketio.ReasonForcedClose))
		}
	})
	w.healthy(t)
}

func TestFact49DisconnectKeepsTheConnection(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		for _, packet := range []string{"41", "41/,", "41/"} {
			a := enter(c, "40", "40")
			c.send(packet)
			w.ended(t, end{"/", a, socketio.ReasonClientNamespaceDisconnect})
		}
		for _, packet := range []string{"41/other", "41/other,"} {
			b := enter(c, "40/other", "40/other,")
			c.send(packet)
			w.ended(t, end{"/other", b, socketio.ReasonClientNamespaceDisconnect})
		}
		for _, packet := range []string{"41{}", "41[]", `41"x"`, "41null", "41/,{}", "41/other,{}"} {
			c := dial(t, w.addr)
			a := enter(c, "40", "40")
			c.send(packet)
			closesSilently(c)
			w.ended(t, end{"/", a, socketio.ReasonForcedClose})
		}
	})
	w.healthy(t)
}

func TestFact56DisconnectTrueSaysSoInEachNamespace(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		for _, held := range []bool{false, true} {
			c := dial(t, w.addr)
			root, other := w.enters(c)
			if q, ok := c.(*poller); ok && held {
				w.holds(q)
			}
			other.Disconnect(true)
			if got := strings.Join(c.rest(), " "); got != "41 41/other," {
				t.Errorf("got %s", got)
			}
			const reason = socketio.ReasonServerNamespaceDisconnect
			w.ended(t, ending(root, reason), ending(other, reason))
		}
	})
	w.healthy(t)
}

func TestFact57ACloseIsNotADisconnect(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		w := watch(t, socketio.Options{})
		c := dial(t, w.addr)
		a := enter(c, "40", "40")
		c.vanish()
		if got := receive(t, w.ends); got.id != a || got.reason == socketio.ReasonClientNamespaceDisconnect {
			t.Errorf("ended: %v", got)
		}
		w.healthy(t)

		c = dial(t, w.addr) // nor does Shutdown say DISCONNECT
		enter(c, "40", "40")
		down := w.shutdown()
		closesSilently(c)
		closesSilently(w.control)
		c.vanish()
		w.control.vanish()
		if err := receive(t, down); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

// What comes behind a CONNECT that no middleware delays is for a socket that is in.
func TestFact58NobodyIsInBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		w := watch(t, socketio.Options{})
		slow := w.Of("/slow")
		slow.Use(func(ctx ctxt, _ *socketio.Socket) error { <-ctx.Done(); return nil })
		slow.OnDisconnect(func(ctxt, *socketio.Socket, socketio.Reason) { t.Error("OnDisconnect of who never was in") })
		socketio.On(slow, "x", func(ctxt, *socketio.Socket, struct{}) error { t.Error("queued silently"); return nil })
		for _, packet := range []string{`42/slow,["x"]`, `42/slow,1["x"]`, "42/slow", `43/slow,0[]`, "41/slow,", "40/slow,"} {
			c := dial(t, w.addr)
			a := enter(c, "40", "40")
			c.together("40/slow,", packet)
			closesSilently(c)
			w.ended(t, end{"/", a, socketio.ReasonForcedClose})
		}
		c := dial(t, w.addr)
		c.together("40", `425["echo","at once"]`)
		admitted(c, "40")
		c.expect(`435["at once"]`)
		w.healthy(t)
	})
}
