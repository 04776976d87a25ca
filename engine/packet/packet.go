package packet

import "encoding/base64"

// Type is the kind of an Engine.IO packet. Its value is the digit on the wire minus '0'.
type Type byte

// The packet types of Engine.IO (protocol revision 4, section "Packet types").
const (
	Open    Type = iota // server to client: the handshake
	Close               // this side will send nothing more
	Ping                // server to client: heartbeat; client to server: the probe of an upgrade
	Pong                // the answer to a ping
	Message             // a payload for the layer above
	Upgrade             // client to server: the probed transport takes over
	Noop                // server to client: releases a pending poll
)

// binaryMark stands in place of the type digit before a base64 message.
const binaryMark = 'b'

var typeNames = [...]string{"open", "close", "ping", "pong", "message", "upgrade", "noop"}

// String returns Node's name of the type, or "unknown". Safe for concurrent use.
func (t Type) String() string {
	if int(t) >= len(typeNames) {
		return "unknown"
	}
	return typeNames[t]
}

// Packet is one Engine.IO packet.
type Packet struct {
	Type   Type
	Binary bool   // a message whose data are bytes, not text
	Data   []byte // what follows the type; empty, never nil, when nothing does
}

// DecodeText decodes one text packet as it stands in a WebSocket text frame or in a payload: a type digit and its data, or
// 'b' and a binary message in base64, which Node accepts on WebSocket too. Data is a part of b; base64 is decoded in place,
// which overwrites b. It does not look at the encoding of text: WebSocket has checked that, and [Payload] does.
// Safe for concurrent use on different slices.
func DecodeText(b []byte) (Packet, error) {
	if len(b) == 0 {
		return Packet{}, ErrEmpty
	}
	if b[0] == binaryMark {
		n, ok := decodeBase64(b, b[1:])
		if !ok {
			return Packet{}, ErrBase64
		}
		return Packet{Type: Message, Binary: true, Data: b[:n:n]}, nil
	}
	t := Type(b[0] - '0')
	if t > Noop {
		return Packet{}, ErrUnknownType
	}
	return Packet{Type: t, Data: b[1:len(b):len(b)]}, nil
}

// AppendText appends a text packet: the type digit and data.
func AppendText(dst []byte, t Type, data []byte) []byte {
	dst = append(dst, '0'+byte(t))
	return append(dst, data...)
}

// AppendBase64 appends a binary message as text: 'b' and data in standard base64 with padding. Polling needs it always,
// WebSocket for clients that asked with b64=1.
func AppendBase64(dst []byte, data []byte) []byte {
	dst = append(dst, binaryMark)
	return base64.StdEncoding.AppendEncode(dst, data)
}
