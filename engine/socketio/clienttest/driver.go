package clienttest

import (
	"encoding/json"
	"fmt"
	"testing"
)

// The versions of the official client that can be driven, oldest last.
const (
	V48 = "4.8"
	V45 = "4.5"
	V40 = "4.0"
	V31 = "3.1"
	V25 = "2.5" // speaks Engine.IO 3: for servers with AllowEIO3
)

// Versions lists every version that can be driven.
var Versions = []string{V48, V45, V40, V31, V25}

// Transports as ClientOptions takes them: the first is used first, polling then moves to WebSocket when both are named.
var (
	Polling   = []string{"polling"}
	WebSocket = []string{"websocket"}
	Upgrade   = []string{"polling", "websocket"}
)

// Driver is one Node process full of official clients. Its methods are called on the goroutine of the test.
type Driver struct {
	t       testing.TB
	process *process
}

// Start starts the Node process of one test; it ends with the test. Without Node or its packages the test is skipped.
func Start(t testing.TB) *Driver {
	t.Helper()
	return &Driver{t: t, process: startNode(t, "driver.mjs")}
}

// ClientOptions says how a client connects. The zero value of a field is the client's own default, except where said.
type ClientOptions struct {
	Version    string            // one of Versions; default V48
	URL        string            // of the server, "http://127.0.0.1:3000"
	Namespace  string            // default "/"
	Transports []string          // one of Polling, WebSocket, Upgrade; default Upgrade
	Auth       any               // sent with CONNECT; must encode as a JSON object, of strings for V25
	Query      map[string]string // added to the URL of every request
	Headers    map[string]string // extraHeaders
	Path       string            // default "/socket.io"
	Reconnect  bool              // reconnect by itself, within 20 to 100 ms; default off
	Msgpack    bool              // speak socket.io-msgpack-parser, as the server must, too
	Extra      map[string]any    // any other option of the client, by its Node name
}

// ConnectError is what the client's connect_error event says.
type ConnectError struct {
	Message string
	Data    json.RawMessage // "null" when the server sent none
}

// Error makes ConnectError an error.
func (e *ConnectError) Error() string {
	return fmt.Sprintf("clienttest: connect_error %q %s", e.Message, e.Data)
}

func (o ClientOptions) fields() map[string]any {
	opts := map[string]any{"reconnection": o.Reconnect}
	set := func(name string, value any, given bool) {
		if given {
			opts[name] = value
		}
	}
	set("transports", o.Transports, o.Transports != nil)
	set("auth", o.Auth, o.Auth != nil)
	set("query", o.Query, o.Query != nil)
	set("extraHeaders", o.Headers, o.Headers != nil)
	set("path", o.Path, o.Path != "")
	for name, value := range o.Extra {
		opts[name] = value
	}
	fields := map[string]any{"version": V48, "url": o.URL, "opts": opts}
	if o.Version != "" {
		fields["version"] = o.Version
	}
	if o.Msgpack {
		fields["msgpack"] = true
	}
	if o.Namespace != "" {
		fields["namespace"] = o.Namespace
	}
	return fields
}

// Connect opens a client and fails the test unless the server accepts it.
func (d *Driver) Connect(t testing.TB, o ClientOptions) *Client {
	t.Helper()
	c, refusal := d.TryConnect(t, o)
	if refusal != nil {
		t.Fatalf("connecting to %s: %v", o.URL, refusal)
	}
	return c
}

// TryConnect opens a client and returns it together with the connect_error, if that is what came. A refused client
// can try once more with Client.Reconnect.
func (d *Driver) TryConnect(t testing.TB, o ClientOptions) (*Client, *ConnectError) {
	t.Helper()
	return d.open(t, o.fields())
}

// opened is the driver's answer to a connection attempt.
type opened struct {
	State
	Client int           `json:"c"`
	OK     bool          `json:"ok"`
	Error  *ConnectError `json:"error"`
}

func (d *Driver) open(t testing.TB, fields map[string]any) (*Client, *ConnectError) {
	t.Helper()
	var o opened
	d.ask(t, &o, "connect", fields)
	c := &Client{t: t, driver: d, number: o.Client, first: o.State}
	t.Cleanup(func() { _, _ = d.process.call("drop", map[string]any{"c": o.Client}) })
	return c, o.Error
}

func (d *Driver) ask(t testing.TB, result any, cmd string, fields map[string]any) {
	t.Helper()
	d.process.ask(t, result, cmd, fields)
}
