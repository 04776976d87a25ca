package engine

import (
	"errors"
	"net/http"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/fanfare-go/fanfare/engine/packet"
	"github.com/fanfare-go/fanfare/ws"
	"github.com/valyala/bytebufferpool"
)

// pingFrame is the Engine.IO ping as a WebSocket frame, the same for everybody;
// pongFrame answers one (revision 3); probeFrame answers an upgrade's probe (fact 34).
var (
	pingFrame  = ws.AppendFrame(nil, ws.OpText, []byte{'0' + byte(packet.Ping)})
	pongFrame  = ws.AppendFrame(nil, ws.OpText, []byte{'0' + byte(packet.Pong)})
	probeFrame = ws.AppendFrame(nil, ws.OpText, []byte("3probe"))
)

// routeUpgrade serves a request to change to WebSocket: a new session, or the
// upgrade of one that polls.
func (c *conn) routeUpgrade(q *http1.Request, in *intent, b []byte, n int) []byte {
	if in.transport != c.socketTransport() { // names polling, asks for WebSocket
		in.transport = 0
	}
	if err := in.verify(q); err != nil {
		return c.rejectUpgrade(q, in, err)
	}
	switch {
	case string(q.Method) != http.MethodGet: // in the words of Node's ws
		return c.refuseUpgrade(q, in, errBadMethod, &ws.Refusal{Status: http.StatusMethodNotAllowed, Message: "Invalid HTTP method"})
	case q.ContentLength != 0: // frames are not a body
		return c.rejectUpgrade(q, in, errBadRequest)
	}
	h := ws.Handshake{
		Upgrade: q.Get("Upgrade"), Connection: q.Get("Connection"), Version: q.Get("Sec-WebSocket-Version"),
		Key: q.Get("Sec-WebSocket-Key"), Protocol: q.Get("Sec-WebSocket-Protocol"), Extensions: q.Get("Sec-WebSocket-Extensions"),
	}
	r := h.Check()
	if d := c.loop.srv.deflation; d != nil && r == nil {
		r = h.Negotiate(d.WindowBits())
	}
	if r != nil {
		return c.refuseUpgrade(q, in, errTransportHandshake, r)
	}
	if !c.loop.srv.cors.Load().admits(q.Get("Origin"), q.Host) {
		return c.refuseUpgrade(q, in, errForbidden, refuseOrigin)
	}
	if in.hasSID && c.loop.srv.opts.NoUpgrades {
		return c.rejectUpgrade(q, in, errBadRequest)
	}
	if !in.hasSID && in.verdict == nil && !c.mayOpen() {
		return c.tooMany(q, b[n:])
	}
	if !in.hasSID && !c.loop.admit() {
		return c.busy()
	}
	carry := c.http.carry // b may lie in it
	c.http.carry = nil
	c.decorate(q, in, in.session, !in.hasSID)
	answer := c.switchProtocols(&h)
	c.form |= in.form()
	if in.hasSID {
		c.probeWebSocket(in.session, answer)
	} else {
		c.handshakeWebSocket(in, b[:n], answer)
	}
	if c.open() && len(b) > n {
		c.feedWS(b[n:]) // what came right behind the request (fact 33)
	}
	if carry != nil {
		bytebufferpool.Put(carry)
	}
	return nil
}

// refuseOrigin is for other sites' pages, where CORS does not list them.
var refuseOrigin = &ws.Refusal{Status: http.StatusForbidden, Message: errForbidden.message}

// rejectUpgrade answers with the error's text, in plain, and closes. The status is 400,
// whatever the error is (fact 5).
func (c *conn) rejectUpgrade(q *http1.Request, in *intent, err *requestError) []byte {
	return c.refuseUpgrade(q, in, err, &ws.Refusal{Status: http.StatusBadRequest, Message: err.message})
}

// refuseUpgrade answers in the words of r, and closes (fact 7).
func (c *conn) refuseUpgrade(q *http1.Request, in *intent, err *requestError, r *ws.Refusal) []byte {
	c.loop.stats.rejected[err.code].Add(1)
	c.report(q, in, err)
	c.http.flags &^= httpKeepAlive
	c.answer(http1.Response{Status: r.Status, ContentType: textHTML, Header: []byte(r.Header), Body: []byte(r.Message)})
	return nil
}

// switchProtocols turns the connection into a WebSocket and returns the 101 that
// is to be sent first of all. It lies in the loop's scratch buffer.
func (c *conn) switchProtocols(h *ws.Handshake) (answer []byte) {
	l := c.loop
	l.header = append(l.header[:0], c.http.lines...)
	l.scratch = h.AppendAccept(l.scratch[:0], l.header)
	l.connTimers.Disarm(c)
	c.http.free()
	c.http, c.ws = nil, new(wsState)
	if h.Deflates() {
		c.deflates()
	}
	return l.scratch
}

// feedWS takes what was read while the connection speaks WebSocket.
func (c *conn) feedWS(b []byte) {
	l := c.loop
	l.pong = l.pong[:0]
	l.ponging, l.pinged, l.completed = false, false, false
	l.stats.bytesIn.Add(uint64(len(b)))
	if err := c.ws.reader.Feed(b, &l.srv.limits, (*wsSink)(c)); err != nil {
		var fault *ws.CloseError // declared here: errors.As has it on the heap
		if errors.As(err, &fault) {
			c.fault(fault)
			return
		}
	}
	if c.flags&connMidMessage != 0 || c.ws.reader.Partial() {
		c.watchMessage(l.completed)
	}
	if l.ponging {
		l.scratch = ws.AppendFrame(l.scratch[:0], ws.OpPong, l.pong)
		c.writeControl(l.scratch)
	}
	if l.pinged {
		c.writeControl(pongFrame)
	}
}

// fault says why the peer's bytes are not WebSocket and ends its session.
func (c *conn) fault(e *ws.CloseError) {
	c.loop.stats.faults.Add(1)
	if s := c.session; s != nil {
		s.uncork()
	}
	c.bye(ws.AppendClose(nil, e.Code, ""))
	c.closeHalf() // the peer's close frame cannot be read any more: it need not wait for us
	if s := c.session; s != nil {
		s.lost(c, ReasonTransportError)
	}
}

// bye sends a close frame and waits for the peer's, or for CloseTimeout.
func (c *conn) bye(frame []byte) {
	if c.open() {
		c.writeLast(frame)
		c.expire(ticks(c.loop.srv.opts.CloseTimeout))
	}
}

// wsSink receives the frames of a connection.
type wsSink conn

// Message takes one Engine.IO packet: text frames carry the type digit, binary
// frames are always messages (fact 27).
func (k *wsSink) Message(op ws.OpCode, payload []byte) error {
	c := (*conn)(k)
	s := c.session
	c.loop.completed = true
	if s == nil || !c.open() {
		return nil // after our close frame: read on, until the peer's
	}
	p, err := s.decode(op, payload)
	switch {
	case s.conn != c:
		c.probing(p, err)
	case err != nil: // fact 30
		s.close(ReasonParseError, byServer)
	default:
		_ = s.received(p) // what ended the session has detached this connection
	}
	return c.over()
}

// decode reads a message as a packet of the session's protocol.
func (s *Session) decode(op ws.OpCode, payload []byte) (packet.Packet, error) {
	switch v3 := s.has(flagEIO3); {
	case v3 && op == ws.OpText:
		return packet.DecodeTextV3(payload)
	case v3:
		return packet.DecodeBinaryV3(payload)
	case op == ws.OpText:
		return packet.DecodeText(payload)
	}
	return packet.Packet{Type: packet.Message, Binary: true, Data: payload}, nil
}

// over stops the reader when a write of ours has closed the connection.
func (c *conn) over() error {
	if c.flags&connClosed != 0 {
		return errStop
	}
	return nil
}

// Ping notes the payload: only the latest ping of one read is answered.
func (k *wsSink) Ping(payload []byte) error {
	l := k.loop
	if c := (*conn)(k); c.open() && !c.pinged() {
		c.exceed(LimitPings)
		return c.over()
	}
	l.pong, l.ponging = append(l.pong[:0], payload...), true
	return nil
}

// Pong needs no answer; it is not Engine.IO's.
func (k *wsSink) Pong([]byte) error { return nil }

// Closed answers the peer's close frame and closes the connection.
func (k *wsSink) Closed(ws.StatusCode, []byte) error {
	c := (*conn)(k)
	if c.flags&connClosing == 0 {
		c.write(ws.CloseFrame)
		c.flags |= connClosing // one close frame is enough
	}
	if s := c.session; s != nil {
		s.lost(c, ReasonTransportClose)
	}
	c.doom()
	return c.over()
}
