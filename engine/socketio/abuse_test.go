package socketio_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// What once crashed or exhausted Socket.IO servers, replayed. Each client loses
// its own connection, if anything; the control client of each server is served on.

// CVE-2022-2421: a placeholder whose number is no index of an attachment.
func TestPlaceholdersThatAreNoIndex(t *testing.T) {
	t.Parallel()
	w := unheard(t)
	var packets [][]string
	for _, num := range []string{
		`"splice"`, `"length"`, `"__proto__"`, `"0"`, `""`, `-1`, `-0`, `1.5`, `0.0`, `1`, `10`, `1e0`, `1e9`, `1e999`, `4294967296`, `18446744073709551616`,
		`null`, `true`, `[]`, `[0]`, `{}`, `{"valueOf":0}`,
	} {
		for _, argument := range []string{
			`{"_placeholder":true,"num":` + num + `}`,
			`{"num":` + num + `,"_placeholder":true}`,
			`{"a":[{"_placeholder":true,"num":` + num + `}]}`,
			`{"\u005fplaceholder":true,"num":` + num + `}`,
		} {
			packets = append(packets, []string{`451-["x",` + argument + `]`, "bAQID"})
		}
	}
	for _, argument := range []string{
		`{"_placeholder":true}`,                            // none at all
		`{"_placeholder":true,"num":0,"num":"splice"}`,     // the last one counts
		placeholder(0) + `,` + placeholder(0),              // twice: one attachment, many copies
		placeholder(0) + `,[[` + placeholder(0) + `]]`,     //
		`{"_placeholder":true,"num":` + placeholder(0)[1:], // not JSON
	} {
		packets = append(packets, []string{`451-["x",` + argument + `]`, "bAQID"})
	}
	packets = append(packets, []string{`461-1[{"_placeholder":true,"num":"splice"}]`, "bAQID"})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		for _, sequence := range packets {
			w.forbidden(t, dial, sequence[:1])
		}
		w.forbidden(t, dial, packets[0], packets[40], packets[len(packets)-1]) // the attachment follows at once
	})
}

// CVE-2023-32695: an event whose name is an object that cannot be made a string.
func TestEventNamesThatAreNoNames(t *testing.T) {
	t.Parallel()
	w := unheard(t)
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		for _, array := range []string{
			`[{"toString":"foo"}]`, `[{"toString":null}]`, `[{}]`, `[null]`, `[]`, `{}`, `[["a"]]`, `[[]]`, `[true]`, `[false]`,
			`[{"toString":"foo"},"x"]`, `[{"_placeholder":true,"num":0}]`,
		} {
			w.forbidden(t, dial, one("42"+array, "421"+array, "42/other,"+array, "451-"+array, "451-/other,7"+array)...)
		}
	})
}

// CVE-2024-38355: "error" has listeners of the server's own in Node. Here it is a
// name like any other; reserved names are refused (fact 55).
func TestEventsNamedLikeInternals(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{OnError: func(_ ctxt, _ *socketio.Socket, err error) { t.Errorf("OnError: %v", err) }})
	socketio.On(w, "error", func(_ ctxt, s *socketio.Socket, v string) error { return s.Emit("error", v) })
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		c := dial(t, w.addr)
		w.enters(c)
		c.send(`42["error","mine"]`)
		c.expect(`42["error","mine"]`)
		for _, name := range []string{
			"error", "connection", "new_namespace", "upgrade", "close", "open", "packet", "data", "drain", "ping", "reconnect",
			"__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf",
		} {
			c.send(`42/other,["` + name + `"]`) // nobody listens
			c.send(`42/other,["` + name + `",{"` + name + `":{"` + name + `":1}}]`)
			c.send("40/" + name)
			c.expect(`44/` + name + `,{"message":"Invalid namespace"}`)
		}
		echoes(c, 1)
		for _, name := range reserved {
			w.forbidden(t, dial, one(`42["`+name+`"]`, `42/other,["`+name+`",{}]`, `42["`+name+`","io server disconnect"]`)...)
		}
	})
}

// CVE-2026-33151: attachments announced without end. What is refused must not
// cost memory first, and what is allowed but never comes is bounded.
func TestAttachmentsThatNeverCome(t *testing.T) { // not in parallel: it weighs the heap
	w := watch(t, socketio.Options{MaxHTTPBufferSize: 20_000, MaxAttachmentBytes: 20_000})
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		for _, count := range []string{"11", "999999999", "4294967296", strings.Repeat("9", 20), strings.Repeat("9", 5000)} {
			w.forbidden(t, dial, one(`45`+count+`-["x"]`, `46`+count+`-1[]`)...)
		}
		// A count without its dash is an ack id behind one attachment, or nothing.
		w.forbidden(t, dial, one(`451999999999["x"]`, `45`+strings.Repeat("9", 20))...)

		// Together the attachments may have as many bytes as one message here: the ninth of these
		// is too much.
		c := dial(t, w.addr)
		root, other := w.enters(c)
		c.send(`4510-["x"]`)
		for range 9 {
			c.send("b" + strings.Repeat("A", 3000)) // 2,250 bytes
		}
		closesSilently(c)
		w.ended(t, ending(root, socketio.ReasonForcedClose), ending(other, socketio.ReasonForcedClose))
		w.healthy(t)
	})

	// Many who wait for ever.
	const clients, each = 200, 64 << 10
	before := heap()
	var waiting []wire
	for range clients / 2 {
		waiting = append(waiting, dial(t, w.addr), dialPolling(t, w.addr))
	}
	for _, c := range waiting {
		w.socket(c, enter(c, "40", "40"))
		c.send(`4510-["echo"]`)
	}
	w.healthy(t)
	if after := heap(); after > before+clients*each {
		t.Errorf("%d bytes for %d clients that wait", after-before, clients)
	}
	for _, c := range waiting {
		c.send("42") // in place of the attachments
		closesSilently(c)
	}
	w.healthy(t)
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Crashes of old: socketio/socket.io#3036, #1980 and #1632.
func TestHistoricCrashes(t *testing.T) {
	t.Parallel()
	w := unheard(t)
	overBoth(t, func(t *testing.T, dial func(testing.TB, string) wire) {
		// An acknowledgement nobody waits for, and what looks like one.
		c := dial(t, w.addr)
		w.enters(c)
		c.send(`4342["nobody"]`, `430[]`, `43/other,42[null]`, `439007199254740992[{"a":1}]`)
		echoes(c, 1)
		w.forbidden(t, dial, one(`442["x"]`, `4442["x"]`, `442[]`, `4342{}`, `4342"x"`, `4342`, `43`, `43[]`, `43-1[]`)...)
		// Bytes that nobody announced.
		for _, b := range []string{"b", "bAA==", "b" + strings.Repeat("A", 40_000)} {
			w.forbidden(t, dial, []string{b}, []string{`42["echo","there?"]`, b})
		}
		// The namespace null.
		c.send("40/null", "40/undefined", "40/null,{}")
		for _, name := range []string{"null", "undefined", "null"} {
			c.expect(fmt.Sprintf(`44/%s,{"message":"Invalid namespace"}`, name))
		}
		w.forbidden(t, dial, one("40null", "40/other,null", "41/null", `42/null,["x"]`)...)
		echoes(c, 2)
	})
}
