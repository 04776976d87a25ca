package engine

import "github.com/valyala/bytebufferpool"

// form says how the bytes of a Frame look to one kind of client. A connection that
// speaks WebSocket has one, set when it begins to: connections of one form get the
// same bytes, and share corks.
type form uint8

const (
	formPlain    form = iota // one WebSocket frame per message: what a Frame is built as
	formDeflated             // a bit: long messages are compressed (RFC 7692)
	formV3                   // revision 3: binary messages have a type in front
	_                        // the same, compressed
	formV3Base64             // revision 3: binary messages are text
	_                        // the same, compressed
	formBase64               // binary messages are text, for clients that asked with b64=1 (fact 28)
	_                        // the same, compressed

	// forms is how many there are over WebSocket; each has a root of corks. The others
	// come behind.
	forms
)

const (
	formPolling        = forms + iota // packets joined by packet.Separator (fact 15)
	formPollingV3                     // packets with lengths in front of them (fact 13)
	formPollingV3Bytes                // the same, as bytes
	formGzip                          // formPolling, compressed
	formZlib
)

// made is a Frame in one form other than formPlain. Immutable.
type made struct {
	form  form
	bytes []byte
	buf   *bytebufferpool.ByteBuffer // where bytes lie; nil where that is the plain form
	next  *made
}

// wire returns what a client of the form k gets. Safe for concurrent use.
func (f *Frame) wire(s *Server, k form) []byte {
	if k == formPlain {
		return f.plain()
	}
	if k&formDeflated != 0 && !s.deflation.wants(f) {
		k &^= formDeflated
	}
	if !f.attached { // texts are the same in all of them
		k &= formDeflated
	}
	if k == formPlain {
		return f.plain()
	}
	return f.in(s, k)
}

// size is the length of wire.
func (f *Frame) size(s *Server, k form) int { return len(f.wire(s, k)) }

// weight is what a queued reference counts for, in bytes. It is the same for all
// forms: a frame that waits need not have been made into one.
func (f *Frame) weight() int { return len(f.plain()) }

// payload returns one of the polling forms. Safe for concurrent use.
func (f *Frame) payload(s *Server, k form) []byte { return f.in(s, k) }

// in returns a form other than formPlain, made on first need, once for all loops.
func (f *Frame) in(s *Server, k form) []byte {
	if m := f.made.Load().find(k); m != nil {
		return m.bytes
	}
	f.making.Lock()
	defer f.making.Unlock()
	return f.make(s, k)
}

// make is in while f.making is held. One form may be made of another.
func (f *Frame) make(s *Server, k form) []byte {
	if m := f.made.Load().find(k); m != nil {
		return m.bytes
	}
	buf := bytebufferpool.Get()
	b, different := f.append(s, k, buf.B[:0])
	if buf.B = b; !different {
		bytebufferpool.Put(buf)
		b, buf = f.uncompressed(s, k), nil
	}
	f.made.Store(&made{k, b, buf, f.made.Load()})
	return b
}

// append appends the form k to dst; different is false where it is
// not worth to be compressed.
func (f *Frame) append(s *Server, k form, dst []byte) (b []byte, different bool) {
	switch {
	case k == formPolling:
		return appendPolling(dst, f.plain()), true
	case k == formBase64:
		return appendBase64Frames(dst, f.plain()), true
	case k == formGzip:
		return s.encoding.append(dst, f.make(s, formPolling), codingGzip), true
	case k == formZlib:
		return s.encoding.append(dst, f.make(s, formPolling), codingDeflate), true
	case k < forms && k&formDeflated != 0:
		return s.deflation.appendFrame(dst, f.uncompressed(s, k))
	}
	return appendV3(dst, f.plain(), k), true
}

// uncompressed is what the form k is made of, which is a deflated one.
func (f *Frame) uncompressed(s *Server, k form) []byte {
	if k == formDeflated {
		return f.plain()
	}
	return f.make(s, k&^formDeflated)
}

// unmake gives the buffers of all forms back.
func (f *Frame) unmake() {
	for m := f.made.Swap(nil); m != nil; m = m.next {
		if m.buf != nil {
			bytebufferpool.Put(m.buf)
		}
	}
}

// find returns what is made for k, or nil.
func (m *made) find(k form) *made {
	for m != nil && m.form != k {
		m = m.next
	}
	return m
}
