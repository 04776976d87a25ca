package socketiotest

import (
	"bytes"
	"encoding/json"
	"runtime"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Client is a client in one namespace: what socket is in JavaScript. Its methods fail
// the test where what they wait for does not come, and belong on the test's goroutine.
type Client struct {
	line      *line
	t         testing.TB
	namespace string
	auth      any
	wasPID    string // immutable: shown to be recovered

	state     state                  // guarded by line.mu, as all below
	id, pid   string                 // given by CONNECT
	offset    string                 // of the last event
	recovered bool                   // CONNECT has confirmed wasPID
	refusal   *socketio.ConnectError // by CONNECT_ERROR
	events    []*Event               // not taken yet
	nextAck   uint64
	acks      map[uint64]*Ack
	reason    string // of the end
}

type state uint8

const (
	connecting state = iota
	connected
	refused
	disconnected
)

// Reasons of [Client.Disconnected], in the words of the stock client.
const (
	// ServerDisconnect: the server has disconnected the socket. The stock client does not
	// come back by itself.
	ServerDisconnect = "io server disconnect"
	// ClientDisconnect: Disconnect was called.
	ClientDisconnect = "io client disconnect"
	// TransportClose: the connection is closed, by whomever. The stock client comes back.
	TransportClose = "transport close"
)

// ID returns the socket's id. Node: socket.id.
func (c *Client) ID() string {
	c.t.Helper()
	c.requireIn()
	return c.id
}

// Socket returns the server's side of the client; nil when it is gone.
func (c *Client) Socket() *socketio.Socket {
	c.t.Helper()
	nsp, id := c.line.server.Of(c.namespace), c.ID()
	for i := range socketTries {
		if s, ok := nsp.Socket(id); ok {
			return s
		}
		if i < eagerTries {
			runtime.Gosched()
		} else {
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// The server answers a client just before it can be found. Socket looks so often, at first
// without moving a fake clock, and then a millisecond apart: the machine may be busy.
const (
	eagerTries  = 10_000
	socketTries = eagerTries + 500
)

// Recovered reports whether the socket is the one from before Reconnect. Node:
// socket.recovered.
func (c *Client) Recovered() bool {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	return c.recovered
}

// Refused returns why the client was not let in: what the connect_error listener of the
// stock client is given. Data is nil or a json.RawMessage. The test fails if it was let in.
func (c *Client) Refused() *socketio.ConnectError {
	c.t.Helper()
	c.line.mu.Lock()
	refusal, reason := c.refusal, c.reason
	c.line.mu.Unlock()
	switch {
	case refusal != nil:
	case reason != "":
		c.t.Fatalf("socketiotest: the client was not refused, it was disconnected: %s", reason)
	default:
		c.t.Fatalf("socketiotest: the client was not refused, it is connected")
	}
	return refusal
}

// requireIn fails the test of a client that is not, and was not, connected.
func (c *Client) requireIn() {
	c.t.Helper()
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if c.refusal != nil {
		c.t.Fatalf("socketiotest: the client was refused: %s", c.refusal.Message)
	}
	if c.id == "" {
		c.t.Fatalf("socketiotest: the client never was connected: %s", c.reason)
	}
}

// requireConnected fails the test of a client that is not connected.
func (c *Client) requireConnected() {
	c.t.Helper()
	c.requireIn()
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	if c.state != connected {
		c.t.Fatalf("socketiotest: the client is disconnected: %s", c.reason)
	}
}

// Emit sends an event and returns at once. Arguments are as those of
// socketio.Socket.Emit, binary included.
func (c *Client) Emit(event string, args ...any) {
	c.t.Helper()
	c.requireConnected()
	c.send(event, args, 0, false)
}

// send sends an event; with an id, an acknowledgement is asked for.
func (c *Client) send(event string, values []any, id uint64, hasID bool) {
	c.t.Helper()
	args, err := socketio.EncodeArgs(values...)
	if err != nil {
		c.t.Fatalf("socketiotest: emitting %q: %v", event, err)
		return
	}
	array := parser.AppendString([]byte{'['}, event)
	if list := args.String(); list != "[]" {
		array = append(append(array, ','), list[1:]...)
	} else {
		array = append(array, ']')
	}
	c.write(parser.AppendEvent(nil, c.namespace, id, hasID, len(args.Attachments()), array), args.Attachments())
}

func (c *Client) write(packet []byte, attachments [][]byte) {
	c.line.inner.Text(packet)
	for _, a := range attachments {
		c.line.inner.Binary(a)
	}
}

// Raw sends a text message as it is: a packet of Socket.IO, or what is none.
func (c *Client) Raw(packet string) { c.line.inner.Text([]byte(packet)) }

// Disconnect leaves the namespace and, if it was the only one of its connection,
// closes that, as the stock client does. Node: socket.disconnect().
func (c *Client) Disconnect() {
	c.t.Helper()
	c.requireConnected()
	c.write(parser.AppendHeader(nil, parser.Disconnect, 0, c.namespace, 0, false), nil)
	l := c.line
	l.mu.Lock()
	c.end(ClientDisconnect)
	last := true
	for _, other := range l.clients {
		last = last && other.state > connected
	}
	l.change()
	l.mu.Unlock()
	if last {
		l.inner.Close()
	}
}

// Close closes the connection, with all its namespaces, without a goodbye: the server
// sees "transport close".
func (c *Client) Close() {
	c.line.inner.Close()
	c.line.wait(func() bool { return c.line.ended })
}

// Silence has the network lost: heartbeats are not answered any more, and the server
// sees "ping timeout" in its time. In a test with a clock of its own, that is.
func (c *Client) Silence() { c.line.inner.Silence() }

// Disconnected waits for the end of the client and returns the reason, in the words of
// the stock client: ServerDisconnect, ClientDisconnect or TransportClose.
func (c *Client) Disconnected() string {
	c.t.Helper()
	if !c.line.wait(func() bool { return c.state == disconnected }) {
		c.t.Fatalf("socketiotest: the client was not disconnected within %v", c.line.server.Patience)
	}
	return c.reason
}

// end is the end of the client. Called with line.mu held.
func (c *Client) end(reason string) {
	if c.state == refused || c.state == disconnected {
		return
	}
	c.state, c.reason = disconnected, reason
	for _, a := range c.acks {
		a.lost = true
	}
	c.acks = nil
}

// event takes an EVENT packet. Called with line.mu held.
func (c *Client) event(p *parser.Packet, attachments [][]byte) {
	name, list, err := parser.EventName(p.Data)
	if err != nil {
		c.t.Errorf("socketiotest: an event without a name: %q", p.Data)
		return
	}
	if c.pid+c.wasPID != "" && !p.HasID { // what was missed comes ahead of the CONNECT
		list, c.offset = cutOffset(list)
	}
	args, err := socketio.ParseArgs(bytes.Join([][]byte{{'['}, list, {']'}}, nil), attachments)
	if err != nil {
		c.t.Errorf("socketiotest: arguments of %q: %v", name, err)
		return
	}
	c.events = append(c.events, &Event{Name: string(name), Args: args, client: c, id: p.ID, wantsAck: p.HasID})
}

// cutOffset takes the offset off the arguments of an event that recovery has numbered.
func cutOffset(list []byte) (rest []byte, offset string) {
	a := parser.NewArgList(list)
	var last []byte
	n := 0
	for elem, ok := a.Next(); ok; elem, ok = a.Next() {
		last = elem
		n++
	}
	if n == 0 || json.Unmarshal(last, &offset) != nil {
		return list, ""
	}
	rest = bytes.TrimSuffix(bytes.TrimSpace(list), last)
	return bytes.TrimSuffix(bytes.TrimSpace(rest), []byte{','}), offset
}
