package socketiotest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Event is one that a client has received.
type Event struct {
	Name string
	// Args are the arguments. Where the server offers recovery, the offset that it adds
	// to them, and that listeners of the stock client are given, is not among them.
	Args socketio.Args

	client   *Client
	id       uint64
	wantsAck bool
}

// String returns the event as it would be emitted, for messages.
func (e *Event) String() string { return fmt.Sprintf("%q %v", e.Name, e.Args) }

// WantsAck reports whether the server waits for an acknowledgement.
func (e *Event) WantsAck() bool { return e.wantsAck }

// Ack acknowledges the event: what a listener's callback is for. The test fails where
// nobody asked for it.
func (e *Event) Ack(values ...any) {
	c := e.client
	c.t.Helper()
	if !e.wantsAck {
		c.t.Fatalf("socketiotest: nobody waits for an acknowledgement of %v", e)
		return
	}
	args, err := socketio.EncodeArgs(values...)
	if err != nil {
		c.t.Fatalf("socketiotest: acknowledging %q: %v", e.Name, err)
		return
	}
	c.write(parser.AppendAck(nil, c.namespace, e.id, len(args.Attachments()), []byte(args.String())), args.Attachments())
}

// Next waits for the next event that was not taken yet, and takes it.
func (c *Client) Next() *Event {
	c.t.Helper()
	c.requireIn()
	var e *Event
	c.line.wait(func() bool {
		if len(c.events) > 0 {
			e, c.events = c.events[0], c.events[1:]
		}
		return e != nil || c.state == disconnected
	})
	if e == nil {
		c.t.Fatalf("socketiotest: no event came%s", c.why())
		return &Event{client: c}
	}
	return e
}

// why says what a client is like that did not get what it waited for.
func (c *Client) why() string {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if c.state == disconnected {
		return ": the client is disconnected: " + c.reason
	}
	return fmt.Sprintf(" within %v", c.line.server.Patience)
}

// Expect waits for the next event, which must have this name and, if want is given,
// these arguments: those that Emit would send for want. It returns the event, for its
// Ack and for further looks.
func (c *Client) Expect(name string, want ...any) *Event {
	c.t.Helper()
	e := c.Next()
	if e.Name != name {
		c.t.Fatalf("socketiotest: got event %v, want %q", e, name)
		return e
	}
	if len(want) > 0 {
		requireArgs(c.t, "event "+name, e.Args, want)
	}
	return e
}

// ExpectNothing settles the server and requires that no event waits to be taken.
func (c *Client) ExpectNothing() {
	c.t.Helper()
	c.line.server.Settle()
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if len(c.events) > 0 {
		c.t.Fatalf("socketiotest: got event %v, want none", c.events[0])
	}
}

// Received returns how many events have come that were not taken yet. After
// [Server.Settle] it is certain.
func (c *Client) Received() int {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	return len(c.events)
}

// failer is what is needed of a testing.TB to complain.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// requireArgs compares arguments with the values they should be.
func requireArgs(t failer, what string, got socketio.Args, want []any) {
	t.Helper()
	wanted, err := socketio.EncodeArgs(want...)
	if err != nil {
		t.Fatalf("socketiotest: what is wanted of %s: %v", what, err)
		return
	}
	if !sameArgs(got, wanted) {
		t.Fatalf("socketiotest: %s: got %s, want %s", what, describe(got), describe(wanted))
	}
}

// sameArgs compares values, not their spelling.
func sameArgs(a, b socketio.Args) bool {
	x, y := inlined(a), inlined(b)
	return x != nil && reflect.DeepEqual(x, y)
}

// inlined returns the arguments with attachments where their placeholders are.
func inlined(a socketio.Args) any {
	d := json.NewDecoder(bytes.NewReader([]byte(a.String())))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return inline(v, a.Attachments())
}

func inline(v any, attachments [][]byte) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = inline(v[i], attachments)
		}
	case map[string]any:
		if v["_placeholder"] == true {
			if n, ok := v["num"].(json.Number); ok {
				if i, err := n.Int64(); err == nil && i >= 0 && int(i) < len(attachments) {
					return attachment(attachments[i])
				}
			}
		}
		for k := range v {
			v[k] = inline(v[k], attachments)
		}
	case json.Number:
		if f, err := v.Float64(); err == nil && f == float64(int64(f)) && f < 1<<53 && f > -1<<53 {
			return f // 1, 1.0 and 1e0
		}
	}
	return v
}

// attachment keeps binary apart from text of the same bytes.
type attachment string

func describe(a socketio.Args) string {
	if len(a.Attachments()) == 0 {
		return a.String()
	}
	return fmt.Sprintf("%v with %q", a, a.Attachments())
}
