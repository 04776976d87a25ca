package ws

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
)

// Handshake holds the fields of an upgrade request, RFC 6455 section 4.2.1:
// raw values of the header fields, nil for a field that is missing. They are
// only read during the calls. The method (GET) is the caller's to check.
type Handshake struct {
	Upgrade, Connection, Version, Key []byte

	// Protocol is the list of subprotocols offered. The fields of a request
	// with several are to be joined by commas.
	Protocol []byte
	// Extensions is the list of extensions offered, joined likewise. Negotiate
	// looks at it.
	Extensions []byte

	deflate uint8 // server_max_window_bits of the answer; 0 for no compression
}

// Refusal is why an upgrade is refused, in the words of Node's ws. Immutable.
type Refusal struct {
	Status  int    // HTTP status
	Message string // body of the response
	Header  string // a further header line with its CRLF, or ""
}

var (
	refuseUpgrade    = &Refusal{Status: 400, Message: "Invalid Upgrade header"}
	refuseConnection = &Refusal{Status: 400, Message: "Invalid Connection header"}
	refuseKey        = &Refusal{Status: 400, Message: "Missing or invalid Sec-WebSocket-Key header"}
	refuseVersion    = &Refusal{
		Status:  400,
		Message: "Missing or invalid Sec-WebSocket-Version header",
		Header:  "Sec-WebSocket-Version: 13, 8\r\n",
	}
	refuseProtocol = &Refusal{Status: 400, Message: "Invalid Sec-WebSocket-Protocol header"}
)

// keySize is the length of a Sec-WebSocket-Key: 16 bytes in base64.
const keySize = 24

// acceptGUID is what a key is hashed with, RFC 6455 section 1.3.
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// Check returns nil, or why the request cannot be accepted. Fields are checked
// in the order of Node's ws (lib/websocket-server.js); Connection, which Node's
// http module looks at, comes second. Like Node it accepts version 8, which has
// the same frames.
func (h *Handshake) Check() *Refusal {
	switch {
	case !bytes.EqualFold(trim(h.Upgrade), []byte("websocket")):
		return refuseUpgrade
	case !hasToken(h.Connection, "upgrade"):
		return refuseConnection
	case !validKey(trim(h.Key)):
		return refuseKey
	}
	if v := string(trim(h.Version)); v != "13" && v != "8" {
		return refuseVersion
	}
	if h.Protocol != nil && !validProtocols(h.Protocol) {
		return refuseProtocol
	}
	return nil
}

// AppendAccept appends the whole 101 response to a request for which Check
// returned nil. extra is further header lines, each ending in CRLF. The first
// subprotocol offered is echoed, as ws does by default.
func (h *Handshake) AppendAccept(dst []byte, extra []byte) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\n"+
		"Upgrade: websocket\r\n"+
		"Connection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: "...)
	dst = appendAcceptKey(dst, trim(h.Key))
	dst = append(dst, "\r\n"...)
	if h.Protocol != nil && validProtocols(h.Protocol) {
		first, _ := cutComma(h.Protocol)
		dst = append(dst, "Sec-WebSocket-Protocol: "...)
		dst = append(dst, first...)
		dst = append(dst, "\r\n"...)
	}
	if h.deflate > 0 {
		dst = appendDeflate(dst, h.deflate)
	}
	dst = append(dst, extra...)
	return append(dst, "\r\n"...)
}

// appendAcceptKey appends the answer to a key, RFC 6455 section 4.2.2.
func appendAcceptKey(dst, key []byte) []byte {
	var b [keySize + len(acceptGUID)]byte
	n := copy(b[:keySize], key)
	n += copy(b[n:], acceptGUID)
	sum := sha1.Sum(b[:n])
	return base64.StdEncoding.AppendEncode(dst, sum[:])
}

// validKey applies Node's /^[+/0-9A-Za-z]{22}==$/.
func validKey(k []byte) bool {
	if len(k) != keySize || k[22] != '=' || k[23] != '=' {
		return false
	}
	for _, c := range k[:22] {
		if !isAlphanumeric(c) && c != '+' && c != '/' {
			return false
		}
	}
	return true
}

// validProtocols reports whether list is a comma-separated list of tokens,
// none of them empty. Repetition is let pass, unlike in Node: only the first
// is used, and to look for it takes quadratic time.
func validProtocols(list []byte) bool {
	for list != nil {
		var p []byte
		p, list = cutComma(list)
		if len(p) == 0 {
			return false
		}
		for _, c := range p {
			if !isTokenChar(c) {
				return false
			}
		}
	}
	return true
}

// hasToken reports whether a comma-separated list has the token, whatever its
// case.
func hasToken(list []byte, token string) bool {
	for list != nil {
		var t []byte
		t, list = cutComma(list)
		if bytes.EqualFold(t, []byte(token)) {
			return true
		}
	}
	return false
}

// cutComma returns the first element of a list, trimmed, and the others, nil
// if there are none.
func cutComma(list []byte) (first, rest []byte) {
	i := bytes.IndexByte(list, ',')
	if i < 0 {
		return trim(list), nil
	}
	return trim(list[:i]), list[i+1:]
}

// trim removes optional white space, RFC 9110 section 5.6.3.
func trim(v []byte) []byte {
	for len(v) > 0 && isSpace(v[0]) {
		v = v[1:]
	}
	for len(v) > 0 && isSpace(v[len(v)-1]) {
		v = v[:len(v)-1]
	}
	return v
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

func isAlphanumeric(c byte) bool {
	return c-'0' < 10 || c|0x20-'a' < 26
}

// isTokenChar reports whether c may be in a token, RFC 9110 section 5.6.2.
func isTokenChar(c byte) bool {
	return isAlphanumeric(c) || bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
}
