package ws

import (
	"unicode/utf8"

	"github.com/valyala/bytebufferpool"
)

// Sink receives what a Reader finds, on the goroutine that calls Feed. Slices
// are valid until the call returns: they may be the caller's input, unmasked in
// place. Returning an error stops Feed, which returns it and leaves the rest of
// its input alone. A Sink may call Reset, and must then return an error; it
// must not call Feed.
type Sink interface {
	// Message receives a whole message: OpText, whose payload is valid UTF-8,
	// or OpBinary.
	Message(op OpCode, payload []byte) error
	// Ping receives a ping, which is to be answered by a pong with the same
	// payload (RFC 6455 section 5.5.3).
	Ping(payload []byte) error
	// Pong receives a pong, solicited or not.
	Pong(payload []byte) error
	// Closed receives the peer's close frame, validated; code is
	// StatusNoStatus (1005) when it carried none. Nothing is delivered after
	// it.
	Closed(code StatusCode, reason []byte) error
}

// Reader cuts the frames of one client out of what was read, in pieces of any
// size. The zero value is ready. It holds a buffer only while a frame or a
// message is incomplete. Not safe for concurrent use.
//
// A Reader is finished after it has returned a fault or delivered a close
// frame: what it is fed from then on is ignored. After an error from the Sink,
// or a panic in it, a Reader must not be fed again before Reset.
//
// 40 bytes on 64-bit machines.
type Reader struct {
	// start is the beginning of a frame, still masked: a header that is cut
	// off, or a control frame that is. At most 14 + 125 bytes.
	start *bytebufferpool.ByteBuffer
	// message is what came of the current message, unmasked.
	message *bytebufferpool.ByteBuffer
	left    int64  // payload bytes of the current data frame yet to come
	key     uint32 // masking key, turned so that it fits the next of them
	frames  uint32 // headers seen of the current message, 0 between messages
	op      OpCode // of the current message
	fin     bool   // the current data frame is the message's last
	tail    uint8  // bytes at the end of message that begin a rune, 0-3
	done    bool   // ignore input
	deflate bool   // permessage-deflate was agreed upon
	packed  bool   // the current message is compressed, and so is what is held of it
}

// Feed consumes all of b: it unmasks b in place and delivers to s every message
// and control frame that b completes. Only a frame cut off by the end of b and
// the fragments of an unfinished message are copied. It returns a *CloseError
// on a fault of the peer, or the error s returned. lim must not be nil.
func (r *Reader) Feed(b []byte, lim *Limits, s Sink) (err error) {
	if r.left > 0 {
		b, err = r.resumePayload(b, lim, s)
	} else if r.start != nil {
		b, err = r.resumeStart(b, lim, s)
	}
	for err == nil && len(b) > 0 && !r.done {
		h, fault := r.readHeader(b, lim)
		if fault != nil {
			return r.fail(fault)
		}
		if len(b) < int(h.size) {
			r.keepStart(b)
			return nil
		}
		p := b[h.size:]
		if int64(len(p)) < h.length {
			return r.keepFrame(h, b, p)
		}
		b = p[h.length:]
		err = r.frame(h, p[:h.length:h.length], lim, s)
	}
	return err
}

// Deflate has compressed messages accepted, as [Handshake.Negotiate] agreed with
// the client. To be called before Feed; Reset undoes it.
func (r *Reader) Deflate() { r.deflate = true }

// Buffered returns how many bytes are held for an incomplete frame or message.
func (r *Reader) Buffered() int {
	n := int(r.messageLen())
	if r.start != nil {
		n += len(r.start.B)
	}
	return n
}

// Partial reports that a frame or a message is incomplete.
func (r *Reader) Partial() bool {
	return !r.done && (r.frames != 0 || r.left > 0 || r.start != nil)
}

// Reset gives the buffers back and makes the Reader as new. To be called when
// the connection is closed; a Sink may do so from within Feed.
func (r *Reader) Reset() {
	give(r.start)
	give(r.message)
	*r = Reader{}
}

// fail finishes the reader.
func (r *Reader) fail(e *CloseError) error {
	r.Reset()
	r.done = true
	return e
}

// frame takes a whole frame: it unmasks the payload p and passes it on.
func (r *Reader) frame(h header, p []byte, lim *Limits, s Sink) error {
	ascii := unmask(p, h.key)
	if h.control() {
		return r.control(h.op(), p, s)
	}
	if !h.fin() || r.frames != 0 {
		r.begin(h)
		r.left = 0
		return r.fragment(p, lim, s)
	}
	if h.packed() {
		return r.unpack(h.op(), p, lim, s)
	}
	if h.op() == OpText && !ascii && !utf8.Valid(p) {
		return r.fail(ErrInvalidText)
	}
	return s.Message(h.op(), p)
}

// control delivers a whole control frame, wherever in a message it came.
func (r *Reader) control(op OpCode, p []byte, s Sink) error {
	switch op {
	case OpPing:
		return s.Ping(p)
	case OpPong:
		return s.Pong(p)
	}
	code, reason, fault := checkClose(p)
	if fault != nil {
		return r.fail(fault)
	}
	r.Reset()
	r.done = true // RFC 6455 section 1.4: what follows a close frame is discarded
	return s.Closed(code, reason)
}

// keepStart holds back b, the beginning of a frame.
func (r *Reader) keepStart(b []byte) {
	r.start = take(maxClientHeader + MaxControlPayload)
	r.start.B = append(r.start.B, b...)
}

// keepFrame holds back the end of the input, b: a frame of which the payload
// is only there in part, p.
func (r *Reader) keepFrame(h header, b, p []byte) error {
	if h.control() {
		r.keepStart(b)
		return nil
	}
	r.begin(h)
	return r.part(p)
}

// resumeStart adds to the beginning of a frame the bytes that its header, or a
// control frame, still lacks, and returns those after them.
func (r *Reader) resumeStart(b []byte, lim *Limits, s Sink) ([]byte, error) {
	for {
		have := r.start.B
		h, fault := r.readHeader(have, lim)
		if fault != nil {
			return nil, r.fail(fault)
		}
		want := int(h.size)
		if len(have) >= want && h.control() {
			want += int(h.length)
		}
		if len(have) >= want {
			return r.leaveStart(h, b, lim, s)
		}
		if len(b) == 0 {
			return nil, nil
		}
		n := min(want-len(have), len(b))
		r.start.B = append(have, b[:n]...)
		b = b[n:]
	}
}

// leaveStart goes on with the frame whose header, or all of a control frame, is
// in start. A data frame's payload is at b[0:].
func (r *Reader) leaveStart(h header, b []byte, lim *Limits, s Sink) (rest []byte, err error) {
	start := r.start
	r.start = nil // first, so that a Reset by the sink leaves it to us
	switch {
	case h.control():
		err = r.frame(h, start.B[h.size:], lim, s)
		rest = b
	case int64(len(b)) < h.length:
		err = r.keepFrame(h, nil, b)
	default:
		rest = b[h.length:]
		err = r.frame(h, b[:h.length:h.length], lim, s)
	}
	give(start)
	return rest, err
}
