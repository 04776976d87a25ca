package clienttest

import (
	"encoding/json"
	"maps"
	"testing"
)

// Client is one official client inside the Node process. Its methods are called on the goroutine of its test, and fail
// that test when the client does not do what is asked within the deadline.
type Client struct {
	t      testing.TB
	driver *Driver
	number int
	first  State
}

// State is what a client knows about its connection at one moment.
type State struct {
	Connected bool   `json:"connected"`
	Active    bool   `json:"active"`    // will reconnect by itself
	SID       string `json:"sid"`       // socket.id; empty while not connected
	Engine    string `json:"engine"`    // the Engine.IO session id
	Transport string `json:"transport"` // "polling" or "websocket"
	Recovered bool   `json:"recovered"`

	Extensions string `json:"extensions"` // of the WebSocket that were agreed on: "permessage-deflate", or empty
}

// Disconnect is what the client's disconnect event says.
type Disconnect struct {
	Reason      string `json:"reason"`
	Description string `json:"description"` // empty before version 4.6
}

func (c *Client) ask(result any, cmd string, fields map[string]any) {
	c.t.Helper()
	all := map[string]any{"c": c.number}
	maps.Copy(all, fields)
	c.driver.ask(c.t, result, cmd, all)
}

// For returns the same client for another test, one that runs within the test that connected it.
func (c *Client) For(t testing.TB) *Client {
	other := *c
	other.t = t
	return &other
}

// ID returns the socket id that the server gave at the first connect.
func (c *Client) ID() string { return c.first.SID }

// State asks for the connection's state now.
func (c *Client) State() State {
	c.t.Helper()
	var s State
	c.ask(&s, "state", nil)
	return s
}

// Transport asks for the name of the transport in use now.
func (c *Client) Transport() string {
	c.t.Helper()
	return c.State().Transport
}

// Emit sends an event. Binary travels as an attachment, everything else as JSON.
func (c *Client) Emit(event string, args ...any) {
	c.t.Helper()
	c.ask(nil, "emit", map[string]any{"event": event, "args": list(args)})
}

// EmitSequence sends n events with the arguments 0, 1, ... n-1 without a pause.
func (c *Client) EmitSequence(event string, n int) {
	c.t.Helper()
	c.ask(nil, "sequence", map[string]any{"event": event, "n": n})
}

// EmitAck sends an event and returns the arguments of the server's acknowledgement.
func (c *Client) EmitAck(event string, args ...any) []json.RawMessage {
	c.t.Helper()
	var ack []json.RawMessage
	c.ask(&ack, "emitAck", map[string]any{"event": event, "args": list(args)})
	return ack
}

// Answer lets the client acknowledge the server's requests with these arguments from now on. Until then it is silent.
func (c *Client) Answer(event string, args ...any) {
	c.t.Helper()
	c.ask(nil, "onAck", map[string]any{"event": event, "reply": list(args)})
}

// AnswerEcho lets the client acknowledge the server's requests with the arguments they came with.
func (c *Client) AnswerEcho(event string) {
	c.t.Helper()
	c.ask(nil, "onAck", map[string]any{"event": event, "reply": "echo"})
}

// Wait takes the next n occurrences of an event, those included that came before the call, and returns their
// arguments in order of arrival.
func (c *Client) Wait(event string, n int) [][]json.RawMessage {
	c.t.Helper()
	var got [][]json.RawMessage
	c.wait(&got, event, n)
	return got
}

// Count returns how many occurrences of an event have come and were not taken yet. To prove that something did not
// come, first Wait for something that the server sent after it.
func (c *Client) Count(event string) int {
	c.t.Helper()
	var n int
	c.ask(&n, "count", map[string]any{"event": event})
	return n
}

// Of opens a further namespace over the connection that c already has.
func (c *Client) Of(namespace string, auth any) (*Client, *ConnectError) {
	c.t.Helper()
	opts := map[string]any{}
	if auth != nil {
		opts["auth"] = auth
	}
	return c.driver.open(c.t, map[string]any{"on": c.number, "namespace": namespace, "opts": opts})
}

// Reconnect asks for the namespace again after a refusal or a disconnect, with other credentials unless auth is nil.
func (c *Client) Reconnect(auth any) *ConnectError {
	c.t.Helper()
	fields := map[string]any{}
	if auth != nil {
		fields["auth"] = auth
	}
	var o opened
	c.ask(&o, "reconnect", fields)
	return o.Error
}

// WaitUpgrade waits until the client has left polling and returns the new transport's name.
func (c *Client) WaitUpgrade() string {
	c.t.Helper()
	var name string
	c.ask(&name, "waitUpgrade", nil)
	return name
}

// WaitDisconnect takes the next disconnect event.
func (c *Client) WaitDisconnect() Disconnect {
	c.t.Helper()
	var got []Disconnect
	c.wait(&got, "$disconnect", 1)
	return got[0]
}

// WaitReconnect takes the next connect event after the one that Connect returned on.
func (c *Client) WaitReconnect() State {
	c.t.Helper()
	var got []State
	c.wait(&got, "$connect", 1)
	return got[0]
}

func (c *Client) wait(result any, name string, n int) {
	c.t.Helper()
	c.ask(result, "wait", map[string]any{"event": name, "count": n})
}

// Disconnect leaves the namespace as socket.disconnect() does.
func (c *Client) Disconnect() {
	c.t.Helper()
	c.ask(nil, "disconnect", nil)
}

// CloseTransport closes the Engine.IO session in good order, below Socket.IO.
func (c *Client) CloseTransport() {
	c.t.Helper()
	c.ask(nil, "closeTransport", nil)
}

// Abort cuts the connection without a closing word, as a lost network does. Over polling it cuts the held request only
// and the client goes on waiting, so there only the server can be asked what it saw.
func (c *Client) Abort() {
	c.t.Helper()
	c.ask(nil, "abort", nil)
}

// Deafen lets the client ignore the server's heartbeats from now on, until the server gives it up.
func (c *Client) Deafen() {
	c.t.Helper()
	c.ask(nil, "deafen", nil)
}

// list makes "no arguments" an empty JSON list instead of null.
func list(args []any) []any {
	if args == nil {
		return []any{}
	}
	return args
}
