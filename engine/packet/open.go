package packet

import (
	"strconv"
	"time"
)

// OpenData is what the server tells a client in the open packet.
type OpenData struct {
	SID          string        // the session's id, a secret shared with its client
	Upgrades     []string      // transports the client may upgrade to; none on a WebSocket handshake
	PingInterval time.Duration // sent in whole milliseconds
	PingTimeout  time.Duration // sent in whole milliseconds
	MaxPayload   int64         // bytes; the client splits its polling payloads by it
}

// AppendOpen appends the open packet, with the keys in Node's order.
func AppendOpen(dst []byte, o *OpenData) []byte {
	dst = append(dst, `0{"sid":`...)
	dst = appendQuoted(dst, o.SID)
	dst = append(dst, `,"upgrades":[`...)
	for i, u := range o.Upgrades {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendQuoted(dst, u)
	}
	dst = append(dst, `],"pingInterval":`...)
	dst = strconv.AppendInt(dst, o.PingInterval.Milliseconds(), 10)
	dst = append(dst, `,"pingTimeout":`...)
	dst = strconv.AppendInt(dst, o.PingTimeout.Milliseconds(), 10)
	dst = append(dst, `,"maxPayload":`...)
	dst = strconv.AppendInt(dst, o.MaxPayload, 10)
	return append(dst, '}')
}

// appendQuoted appends s as a JSON string. Ids are plain text unless the application generates its own.
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&0xf])
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, '"')
}
