package socketiotest

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// ConnectOptions say who connects. The zero value is a client without auth, in the
// default namespace.
type ConnectOptions struct {
	Namespace string         // default "/"
	Auth      any            // the auth object: encoded as JSON; nil for none
	Header    http.Header    // of the opening request, for Handshake.Headers
	Query     url.Values     // further query parameters, for Handshake.Query
	Addr      netip.AddrPort // of the client, for Handshake.Address; default 192.0.2.1:1234
}

// testNet is an address of TEST-NET-1 (RFC 5737), as httptest's requests have.
var testNet = netip.MustParseAddrPort("192.0.2.1:1234")

// Connect connects a client and waits for the server's answer. A client that was
// refused says so with [Client.Refused]; whatever else is asked of it fails the test.
// At most one ConnectOptions may be given.
func (s *Server) Connect(options ...ConnectOptions) *Client {
	s.t.Helper()
	var o ConnectOptions
	if len(options) > 0 {
		o = options[0]
	}
	l, err := s.dial(&o)
	if err != nil {
		s.t.Fatalf("socketiotest: connecting: %v", err)
		return nil
	}
	return l.join(o.Namespace, o.Auth, nil)
}

// dial opens a connection.
func (s *Server) dial(o *ConnectOptions) (*line, error) {
	query := url.Values{"EIO": {"4"}, "transport": {"websocket"}}
	for name, values := range o.Query {
		query[name] = values
	}
	r := &http.Request{
		Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Host: "example.com", Header: o.Header.Clone(),
	}
	r.RequestURI = "/socket.io/?" + query.Encode()
	peer := socketio.Peer{Addr: o.Addr}
	if !peer.Addr.IsValid() {
		peer.Addr = testNet
	}
	l := newLine(s, *o)
	inner, err := s.OpenInner(r, peer, l)
	l.inner = inner
	return l, err
}

// Of joins a further namespace on the client's connection, as io(url).of does.
func (c *Client) Of(namespace string, auth any) *Client {
	c.t.Helper()
	return c.line.join(namespace, auth, nil)
}

// join sends a CONNECT packet and waits for the answer. back is the socket to be
// recovered, if any.
func (l *line) join(namespace string, auth any, back *Client) *Client {
	t := l.server.t
	t.Helper()
	c := &Client{line: l, t: t, namespace: namespaceOf(namespace), auth: auth}
	if back != nil {
		c.wasPID = back.pid
	}
	payload, err := c.payload(back)
	if err != nil {
		t.Fatalf("socketiotest: auth: %v", err)
		return c
	}
	if !l.enter(c) {
		t.Fatalf("socketiotest: the connection is in namespace %s already, or at its end", c.namespace)
		return c
	}
	l.inner.Text(append(parser.AppendHeader(nil, parser.Connect, 0, c.namespace, 0, false), payload...))
	if !l.wait(func() bool { return c.state != connecting }) {
		t.Fatalf("socketiotest: no answer to CONNECT: is a middleware still at it? (%v)", l.server.Patience)
	}
	return c
}

func namespaceOf(name string) string {
	if name == "" || name[0] != '/' {
		return "/" + name
	}
	return name
}

// payload is that of the CONNECT packet.
func (c *Client) payload(back *Client) ([]byte, error) {
	if c.auth == nil && (back == nil || back.pid == "") {
		return nil, nil
	}
	b, err := json.Marshal(c.auth)
	if err != nil || back == nil || back.pid == "" {
		return b, err
	}
	fields := make(map[string]json.RawMessage)
	if c.auth != nil {
		if err := json.Unmarshal(b, &fields); err != nil {
			return nil, err
		}
	}
	fields["pid"] = parser.AppendString(nil, back.pid)
	if back.offset != "" {
		fields["offset"] = parser.AppendString(nil, back.offset)
	}
	return json.Marshal(fields)
}

// Reconnect connects the client anew, as the stock client does by itself when its
// connection is lost: with the same options and, if the server offers recovery, with
// what its socket is known by. The new client stands for the socket it has then; see
// [Client.Recovered].
func (c *Client) Reconnect() *Client {
	c.t.Helper()
	return c.ReconnectTo(c.line.server)
}

// ReconnectTo is Reconnect where a load balancer sends the client to another server.
func (c *Client) ReconnectTo(s *Server) *Client {
	c.t.Helper()
	c.line.mu.Lock()
	ended := c.line.ended
	c.line.mu.Unlock()
	if !ended {
		c.t.Fatalf("socketiotest: Reconnect while the connection is there: Close it first")
	}
	l, err := s.dial(&c.line.options)
	if err != nil {
		c.t.Fatalf("socketiotest: connecting: %v", err)
		return nil
	}
	return l.join(c.namespace, c.auth, c)
}
