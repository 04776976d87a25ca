package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// forbidden requires that each of the packet sequences closes its client's
// connection, with all its sockets, and reaches no handler.
func (w *watched) forbidden(t *testing.T, dial func(testing.TB, string) wire, sequences ...[]string) {
	t.Helper()
	for _, packets := range sequences {
		c := dial(t, w.addr)
		root, other := w.enters(c)
		before := w.Stats().Violations
		c.together(packets...)
		if rest := c.rest(); len(rest) > 0 {
			t.Errorf("%q: before the close: %q", packets, rest)
		}
		w.ended(t, ending(root, socketio.ReasonForcedClose), ending(other, socketio.ReasonForcedClose))
		if n := w.Stats().Violations - before; n != 1 {
			t.Errorf("%q: %d violations", packets, n)
		}
	}
	w.healthy(t)
}

// unheard makes a server where every event but the control's "echo" is a failure.
func unheard(t *testing.T) *watched {
	w := watch(t, socketio.Options{})
	for _, n := range []*socketio.Namespace{w.Of("/"), w.Of("/other")} {
		n.OnAny(func(_ ctxt, s *socketio.Socket, event string, a socketio.Args) error {
			if event != "echo" || a.Len() != 1 || string(a.Raw(0)) != `"there?"` {
				t.Errorf("handled: %q %s", event, a)
			}
			return nil
		})
	}
	return w
}

// one makes sequences of single packets.
func one(packets ...string) (sequences [][]string) {
	for _, p := range packets {
		sequences = append(sequences, []string{p})
	}
	return sequences
}

// Differs from Node, on purpose: ids above 2^53, where JavaScript stops counting,
// close, and so does an acknowledgement without id.
func TestFact50AckIDs(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		w.enters(c)
		for _, id := range []string{"0", "12", "9007199254740992"} {
			c.send(`42/other,` + id + `["echo","x"]`)
			c.expect(`43/other,` + id + `["x"]`)
			c.send(`42/,` + id + `["echo",1,{"a":[]}]`)
			c.expect(`43` + id + `[1,{"a":[]}]`)
		}
		c.send(`43/other,999["unknown"]`, `430["unknown"]`, `461-5[`+placeholder(0)+`]`)
		c.sendBinary(1)
		echoes(c, 1)
		w.forbidden(t, dial, one(`42/other,9007199254740993["echo","x"]`, `42123456789012345678["echo","x"]`, `43["x"]`)...)
	})

	// The server's own ids: one counter per namespace, whichever socket it is for.
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	a, b := dial(t, w.addr), dialPolling(t, w.addr)
	rootA, otherA := w.enters(a)
	rootB, otherB := w.enters(b)
	for _, x := range []struct {
		s         *socketio.Socket
		c         wire
		namespace string
		id        int
	}{{rootA, a, "", 0}, {rootB, b, "", 1}, {otherB, b, "/other,", 0}, {rootA, a, "", 2}, {otherA, a, "/other,", 1}} {
		answered := make(chan error, 1)
		go func() {
			args, err := x.s.EmitWithAck(ctx, "ask")
			var text string
			if err == nil && (args.Decode(&text) != nil || text != "first") {
				err = errors.New("answer " + args.String())
			}
			answered <- err
		}()
		x.c.expect(fmt.Sprintf(`42%s%d["ask"]`, x.namespace, x.id))
		ack := fmt.Sprintf("43%s%d", x.namespace, x.id)
		x.c.together(ack+`["first"]`, ack+`["twice"]`)
		if err := receive(t, answered); err != nil {
			t.Errorf("%s: %v", ack, err)
		}
	}
	echoes(a, 1)
	echoes(b, 1)
}

func TestFact51AttachmentsFollowTheirHeader(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	socketio.On(w, "order", func(_ ctxt, s *socketio.Socket, a socketio.Args) error {
		var one, two []byte
		var inside struct{ B []byte }
		if err := a.Decode(&one, &inside, &two); err != nil {
			return err
		}
		return s.Emit("order", string(one), string(inside.B), string(two))
	})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		root, other := w.enters(c)
		nested := map[string]any{"a": []byte{2}, "b": []any{"x", []byte{3}}}
		if err := root.Emit("bin", []byte{1}, nested, []byte{4}); err != nil {
			t.Fatal(err)
		}
		header := func(prefix string) string {
			return prefix + `["bin",` + placeholder(0) + `,{"a":` + placeholder(1) + `,"b":["x",` + placeholder(2) + `]},` + placeholder(3) + `]`
		}
		c.expect(header("454-"), "binary:\x01", "binary:\x02", "binary:\x03", "binary:\x04")
		if err := other.Emit("bin", []byte{1}, nested, []byte{}); err != nil {
			t.Fatal(err)
		}
		c.expect(header("454-/other,"), "binary:\x01", "binary:\x02", "binary:\x03", "binary:")

		// Received, num decides.
		c.send(`453-["order",` + placeholder(2) + `,{"b":` + placeholder(0) + `},` + placeholder(1) + `]`)
		c.sendBinary('x')
		c.sendBinary('y')
		c.sendBinary('z')
		c.expect(`42["order","z","x","y"]`)

		c.send(`451-/other,7["echo",{"a":` + placeholder(0) + `}]`)
		c.sendBinary(0, 255)
		c.expect(`461-/other,7[{"a":`+placeholder(0)+`}]`, "binary:\x00\xff")
	})
	w.healthy(t)
}

func TestFact52OnlyHeartbeatsComeBetweenAttachments(t *testing.T) {
	t.Parallel()
	w := unheard(t)
	header := `452-["x",` + placeholder(0) + `,` + placeholder(1) + `]`
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		for _, packet := range []string{`42["echo","there?"]`, "42", "40/nope", "41", "41/other,", `430[]`, header, `44`, "4"} {
			w.forbidden(t, dial, []string{header, packet}, []string{header, "bAQ==", packet})
		}
		w.forbidden(t, dial, []string{"bAQ=="})
	})
}

// What is allowed between attachments is heard; one attachment too many is not.
func TestFact52HeartbeatsDoNotDisturbAttachments(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		root, other := w.enters(c)
		c.together(`452-3["echo",`+placeholder(0)+`,`+placeholder(1)+`]`, "3", "bAQ==", "3", "3", "bAg==", "3")
		c.expect(`462-3[`+placeholder(0)+`,`+placeholder(1)+`]`, "binary:\x01", "binary:\x02")
		c.send("bAw==")
		closesSilently(c)
		w.ended(t, ending(root, socketio.ReasonForcedClose), ending(other, socketio.ReasonForcedClose))
	})
	w.healthy(t)
}

func TestFact53ABinaryPacketHasAttachments(t *testing.T) {
	t.Parallel()
	w := unheard(t)
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		w.forbidden(t, dial, one(`450-["x"]`, `450-1["x"]`, `450-/other,["x"]`, `460-1["x"]`, `4500-["x"]`, `450-`)...)
	})
}

func TestFact54IllegalAttachmentsClose(t *testing.T) {
	t.Parallel()
	w := unheard(t)
	var counts []string
	for _, count := range []string{
		"11-", "99-", "999999999-", "99999999999999999999-", "", "-", "1", "1 -", " 1-", "+1-", "-1-", "1.0-", "1e0-", "0x1-", "01-", "١-", "a-", "null-",
	} {
		counts = append(counts, "45"+count+`["x",`+placeholder(0)+`]`, "46"+count+`7[`+placeholder(0)+`]`)
	}
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		w.forbidden(t, dial, one(counts...)...)
		w.forbidden(t, dial, one(`451-["x",`+placeholder(1)+`]`, `452-["x",[{"a":`+placeholder(2)+`}]]`, `461-7[`+placeholder(1)+`]`)...)
	})
}

// Ten are allowed, and more where the server says so.
func TestFact54AsManyAttachmentsAsAllowed(t *testing.T) {
	t.Parallel()
	for _, most := range []int{10, 12} {
		w := watch(t, socketio.Options{MaxAttachments: most})
		overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
			c := dial(t, w.addr)
			root, other := w.enters(c)
			var all, packets, back []string
			for i := range most {
				all = append(all, placeholder(i))
				packets = append(packets, "bAQ==")
				back = append(back, "binary:\x01")
			}
			header := fmt.Sprintf(`%d-1["echo",%s]`, most, strings.Join(all, ","))
			c.together(append([]string{"45" + header}, packets...)...)
			c.expect(append([]string{fmt.Sprintf(`46%d-1[%s]`, most, strings.Join(all, ","))}, back...)...)
			c.send(`45` + strconv.Itoa(most+1) + `-["echo"]`)
			closesSilently(c)
			w.ended(t, ending(root, socketio.ReasonForcedClose), ending(other, socketio.ReasonForcedClose))
		})
	}
}

// reserved are the names that a client may not send (fact 55).
var reserved = []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"}

func TestFact55ShapesOfEvents(t *testing.T) {
	t.Parallel()
	w := unheard(t)
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		w.enters(c)
		c.together("42", "42/other,", "42/other", "4212") // no payload: nothing to handle
		echoes(c, 1)
		w.forbidden(t, dial, one(
			`42[]`, `42{}`, `42{"a":1}`, `42"x"`, `42null`, `42true`, `42["x"`, `42["x",]`, `42["x"]]`, `42["x"] 1`, `42x`, `42 ["x"]`,
			`42[nope]`, "42[\"x\",\"\t\"]", `42['x']`, `47["x"]`, `48["x"]`, `49`, `4a`, `4 2["x"]`, `4`, `42/other,[]`, `42/other,{}`,
		)...)
		for _, name := range reserved {
			escaped := fmt.Sprintf(`\u%04x%s`, name[0], name[1:])
			w.forbidden(t, dial, one(`42["`+name+`"]`, `42/other,["`+name+`",1]`, `425["`+escaped+`"]`)...)
		}
	})
}

// Every other name is the user's, numbers included.
func TestFact55NamesOfEvents(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{})
	w.OnAny(func(_ ctxt, s *socketio.Socket, event string, a socketio.Args) error {
		if event == "echo" {
			return nil
		}
		return s.Emit("heard", event, a)
	})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		w.enters(c)
		for name, heard := range map[string]string{
			`5`: `"5"`, `-1.5e3`: `"-1.5e3"`, `0`: `"0"`, `""`: `""`, `" "`: `" "`, `"Connect"`: `"Connect"`, `"disconnected"`: `"disconnected"`,
			`"error"`: `"error"`, `"message"`: `"message"`, `"\u0065rr"`: `"err"`, `"__proto__"`: `"__proto__"`, `"new_namespace"`: `"new_namespace"`,
		} {
			c.send(`42[` + name + `,1]`)
			c.expect(`42["heard",` + heard + `,1]`)
		}
	})
	w.healthy(t)
}
