package ws

import (
	"bytes"
	"strconv"
)

var refuseExtensions = &Refusal{Status: 400, Message: "Invalid or unacceptable Sec-WebSocket-Extensions header"}

// Negotiate agrees to permessage-deflate where the client offers it on terms that a
// Deflater of windowBits can keep; Deflates tells. Of several offers the first such
// one counts. An offer with a parameter that is unknown, doubled or of no value is
// declined (RFC 7692 section 5.1); what is no list of offers refuses the upgrade. It
// is to be called after Check and before AppendAccept.
func (h *Handshake) Negotiate(windowBits int) *Refusal {
	h.deflate = 0
	for list := (offers{h.Extensions}); ; {
		o, more, ok := list.next()
		switch {
		case !ok:
			return refuseExtensions
		case !more:
			return nil
		}
		if h.deflate == 0 && o.deflates(windowBits) {
			h.deflate = uint8(windowBits)
		}
	}
}

// Deflates reports whether Negotiate agreed to permessage-deflate.
func (h *Handshake) Deflates() bool { return h.deflate > 0 }

// appendDeflate appends the answer to an offer. Both sides begin each message anew,
// which a server may ask for whether it was offered or not (RFC 7692 sections 7.1.1.1
// and 7.1.1.2).
func appendDeflate(dst []byte, windowBits uint8) []byte {
	dst = append(dst, "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover"...)
	if windowBits < MaxWindowBits {
		dst = append(dst, "; server_max_window_bits="...)
		dst = strconv.AppendUint(dst, uint64(windowBits), 10)
	}
	return append(dst, "\r\n"...)
}

// offer is one element of the list: an extension and its parameters, as far as they
// are permessage-deflate's.
type offer struct {
	name   []byte
	params uint8 // of offerParams, a bit each
	wrong  bool  // a parameter is unknown, doubled, or has not the value it needs
	window uint8 // server_max_window_bits; 0 for any
}

// offerParams are the parameters of RFC 7692 section 7.1.
var offerParams = [...]struct {
	name  string
	value valueRule
}{
	{"server_no_context_takeover", noValue},
	{"client_no_context_takeover", noValue},
	{"server_max_window_bits", needsValue},
	{"client_max_window_bits", mayHaveValue},
}

const serverWindow = 2 // of offerParams

// valueRule says whether a parameter has a value, always a number of bits.
type valueRule uint8

const (
	noValue valueRule = iota
	needsValue
	mayHaveValue
)

func (r valueRule) admits(v paramValue) bool {
	if !v.there {
		return r != needsValue
	}
	return r != noValue && v.bits() > 0
}

// deflates reports whether o is an offer that a window of windowBits can accept.
func (o *offer) deflates(windowBits int) bool {
	return string(o.name) == "permessage-deflate" && !o.wrong && (o.window == 0 || int(o.window) >= windowBits)
}

// add notes a parameter.
func (o *offer) add(name []byte, v paramValue) {
	for i, p := range offerParams {
		if string(name) != p.name {
			continue
		}
		o.wrong = o.wrong || o.params&(1<<i) != 0 || !p.value.admits(v)
		o.params |= 1 << i
		if i == serverWindow {
			o.window = v.bits()
		}
		return
	}
	o.wrong = true
}

// paramValue is the value of a parameter: as many bytes as matter.
type paramValue struct {
	there bool
	text  [2]byte
	size  int // of the whole value
}

func (v *paramValue) add(c byte) {
	if v.size < len(v.text) {
		v.text[v.size] = c
	}
	v.size++
}

// bits is the value as a number of 8 to 15, without leading zeros; 0 for anything else.
func (v *paramValue) bits() uint8 {
	if v.size == 0 || v.size > len(v.text) || v.text[0] == '0' {
		return 0
	}
	n := uint8(0)
	for _, c := range v.text[:v.size] {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + c - '0'
	}
	if n < MinWindowBits || n > MaxWindowBits {
		return 0
	}
	return n
}

// offers reads a list of offers, RFC 6455 section 9.1, from left to right.
type offers struct{ rest []byte }

// next reads one offer; more is false at the end, ok where the list is in order so far.
func (l *offers) next() (o offer, more, ok bool) {
	for l.take(',') { // empty elements are let pass, RFC 9110 section 5.6.1.2
	}
	if len(l.rest) == 0 {
		return o, false, true
	}
	if o.name = l.token(); len(o.name) == 0 {
		return o, false, false
	}
	for l.take(';') {
		name := l.token()
		v, ok := l.value()
		if len(name) == 0 || !ok {
			return o, false, false
		}
		o.add(name, v)
	}
	return o, true, len(l.rest) == 0 || l.rest[0] == ','
}

// take skips white space and c, if that is next.
func (l *offers) take(c byte) bool {
	l.skip()
	if len(l.rest) == 0 || l.rest[0] != c {
		return false
	}
	l.rest = l.rest[1:]
	l.skip()
	return true
}

func (l *offers) skip() { l.rest = bytes.TrimLeft(l.rest, " \t") }

// token takes a token; empty where there is none.
func (l *offers) token() []byte {
	n := 0
	for n < len(l.rest) && isTokenChar(l.rest[n]) {
		n++
	}
	t := l.rest[:n]
	l.rest = l.rest[n:]
	return t
}

// value takes the value of a parameter, if there is one: a token, or one in quotes.
func (l *offers) value() (v paramValue, ok bool) {
	if !l.take('=') {
		return v, true
	}
	v.there = true
	if len(l.rest) > 0 && l.rest[0] == '"' {
		return v, l.quoted(&v)
	}
	for _, c := range l.token() {
		v.add(c)
	}
	return v, v.size > 0
}

// quoted takes a quoted string, the content of which has to be a token.
func (l *offers) quoted(v *paramValue) bool {
	for i := 1; i < len(l.rest); i++ {
		c := l.rest[i]
		if c == '"' {
			l.rest = l.rest[i+1:]
			return v.size > 0
		}
		if c == '\\' {
			if i++; i == len(l.rest) {
				return false
			}
			c = l.rest[i]
		}
		if !isTokenChar(c) {
			return false
		}
		v.add(c)
	}
	return false
}
