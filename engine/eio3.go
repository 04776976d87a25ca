package engine

import (
	"github.com/fanfare-go/fanfare/engine/packet"
	"github.com/fanfare-go/fanfare/ws"
)

// Revision 3 of Engine.IO, which Socket.IO 2 speaks (Options.AllowEIO3). What differs
// from revision 4: the client pings, and the server answers; payloads of polling have
// lengths in front of their packets (packet.NewPayloadV3); binary messages have a type
// over WebSocket, too. Requests, upgrade and farewells are the same.

// protocol is the revision of Engine.IO that the session speaks.
func (s *Session) protocol() int {
	if s.has(flagEIO3) {
		return 3
	}
	return 4
}

// Protocol returns the revision of Engine.IO that the client speaks: 4, or 3 with
// Options.AllowEIO3. Node: conn.protocol.
func (s *Session) Protocol() int { return s.protocol() }

// speakEIO3 makes a new session one of revision 3, whose polling takes bytes or, as
// JSONP always, wants text.
func (s *Session) speakEIO3(text bool) {
	s.set(flagEIO3)
	s.loop.stats.openedEIO3.Add(1)
	if text {
		s.set(flagBase64)
	}
}

// openingV3 is the answer to the handshake of a polling session.
func (s *Session) openingV3(upgrades []string) []byte {
	b := packet.AppendPayloadTextV3(nil, s.openPacket(nil, upgrades))
	if initial := s.loop.srv.opts.InitialPacket; initial != "" {
		b = packet.AppendPayloadTextV3(b, packet.AppendText(nil, packet.Message, []byte(initial)))
	}
	return b
}

// form is what a WebSocket that is opened with this request is to be sent. Each
// transport of a session has a request, and b64, of its own.
func (in *intent) form() form {
	switch {
	case in.protocol != 3 && in.base64:
		return formBase64
	case in.protocol != 3:
		return formPlain
	case in.base64:
		return formV3Base64
	}
	return formV3
}

// bareForm is the form of payloads in which no frame is.
func (s *Session) bareForm() form {
	if s.has(flagEIO3) {
		return formPollingV3
	}
	return formPolling
}

// theirBeat is the packet that shows that the client lives, ourBeat the one that has
// to do with it.
func (s *Session) theirBeat() packet.Type {
	if s.has(flagEIO3) {
		return packet.Ping
	}
	return packet.Pong
}

func (s *Session) ourBeat() packet.Type { return packet.Ping + packet.Pong - s.theirBeat() }

// beat takes the client's.
func (s *Session) beat() {
	s.expect()
	switch {
	case !s.has(flagEIO3):
	case s.conn != nil:
		s.loop.pinged = true // one answer for all pings of this read
	default:
		s.poll.flags |= pollPing
		s.markDirty()
	}
}

// expect waits for the client's next one.
func (s *Session) expect() {
	if s.has(flagEIO3) {
		s.expectPing()
	} else {
		s.pong()
	}
}

// expectPing gives a client of revision 3 until its next ping: it is as if a pong was
// outstanding at all times, and other packets do not give more time. An upgrade does
// not change that; Node forgets to watch after it.
func (s *Session) expectPing() {
	o := &s.loop.srv.opts
	s.set(flagAwaitingPong | flagGraced)
	s.due = s.loop.now + ticks(o.PingInterval) + ticks(o.PingTimeout)
	s.arm()
}

// appendV3 rewrites WebSocket server frames in one of the forms of revision 3.
func appendV3(dst, wire []byte, k form) []byte {
	for {
		op, data, rest, ok := ws.NextFrame(wire)
		if !ok {
			return dst
		}
		dst = appendMessageV3(dst, k, op == ws.OpBinary, data)
		wire = rest
	}
}

// appendMessageV3 appends one message; data of a text begins with its type.
func appendMessageV3(dst []byte, k form, binary bool, data []byte) []byte {
	switch {
	case k == formPollingV3 && binary:
		return packet.AppendPayloadBase64V3(dst, data)
	case k == formPollingV3:
		return packet.AppendPayloadTextV3(dst, data)
	case k == formPollingV3Bytes && binary:
		return packet.AppendBinaryPayloadDataV3(dst, data)
	case k == formPollingV3Bytes:
		return packet.AppendBinaryPayloadTextV3(dst, data)
	case !binary:
		return ws.AppendFrame(dst, ws.OpText, data)
	case k == formV3Base64:
		head := ws.AppendHeader(dst, ws.OpText, packet.Base64LenV3(len(data)))
		return packet.AppendBase64V3(head, data)
	}
	return packet.AppendBinaryV3(ws.AppendHeader(dst, ws.OpBinary, 1+len(data)), data)
}
