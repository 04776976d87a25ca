package engine

import (
	"encoding/base64"
	"sync"
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine/packet"
	"github.com/fanfare-go/fanfare/ws"
	"github.com/valyala/bytebufferpool"
)

// Frame is one Socket.IO packet, encoded once for everybody who receives it: a
// text message and the binary messages that belong to it. It is reference
// counted, and immutable from the moment it is first sent or published.
//
// The plain WebSocket form (server frames, unmasked and therefore the same for every
// member) is built directly; other forms are made from it when the first session
// needs them (forms.go).
//
// A Frame is built by one goroutine; Send, Publish and Release are safe for
// concurrent use afterwards.
type Frame struct {
	refs       atomic.Int32
	volatile   bool
	kept       bool
	attached   bool // binary messages belong to it
	noCompress bool
	lasting    bool // its other forms go with the last but one reference
	start      int  // where the first WebSocket frame begins in buf: its header is written right-aligned
	buf        *bytebufferpool.ByteBuffer

	made   atomic.Pointer[made] // its other forms, the latest first
	making sync.Mutex           // held while one is made
}

var framePool = sync.Pool{New: func() any { return new(Frame) }}

// NewFrame returns an empty frame with one reference, which the caller gives
// back with Release. The hint is the expected size in bytes of the whole packet.
func NewFrame(hint int) *Frame {
	f := framePool.Get().(*Frame)
	f.refs.Store(1)
	f.buf = bytebufferpool.Get()
	if need := hint + ws.MaxHeaderSize + 1; cap(f.buf.B) < need {
		f.buf.B = make([]byte, 0, need)
	}
	return f
}

// Begin starts the text message. What it returns already holds the engine's
// prefix: append the Socket.IO packet to it and hand it to End.
func (f *Frame) Begin() []byte {
	var room [ws.MaxHeaderSize]byte
	b := append(f.buf.B[:0], room[:]...)
	return append(b, '0'+byte(packet.Message))
}

// End finishes the text message with the slice that Begin returned and the
// caller appended to.
func (f *Frame) End(b []byte) {
	f.buf.B = b
	n := len(b) - ws.MaxHeaderSize
	f.start = ws.MaxHeaderSize - ws.HeaderSize(n)
	ws.PutHeader(b[f.start:], ws.OpText, n)
}

// AppendBinary adds one binary message; data is copied.
func (f *Frame) AppendBinary(data []byte) {
	f.attached = true
	f.buf.B = ws.AppendFrame(f.buf.B, ws.OpBinary, data)
}

// SetVolatile marks the frame as one to drop where it cannot be sent at once
// (Node: socket.volatile). It must be called before the frame is sent.
func (f *Frame) SetVolatile() { f.volatile = true }

// SetKept marks the frame as one that no policy for slow clients may drop: without
// it the client would be in a state the server does not know of. It must be called
// before the frame is sent.
func (f *Frame) SetKept() { f.kept = true }

// SetNoCompress has the frame sent as it is where others are compressed (Node:
// compress(false)). It must be called before the frame is sent.
func (f *Frame) SetNoCompress() { f.noCompress = true }

// Release gives one reference back; the last one returns the buffers to their pool.
func (f *Frame) Release() { f.release(1) }

func (f *Frame) retain(n int) { f.refs.Add(int32(n)) }

func (f *Frame) release(n int) {
	lasting := f.lasting // f may be another's as soon as the reference is given back
	switch left := f.refs.Add(-int32(n)); {
	case left > 0:
		if left == 1 && lasting {
			f.made.Store(nil) // if f is another's by now, it makes them again; not to the pool: they may be in use again, too
		}
		return
	case left < 0:
		panic("engine: frame released more often than retained")
	}
	bytebufferpool.Put(f.buf)
	f.buf, f.start, f.volatile, f.kept, f.attached, f.noCompress, f.lasting = nil, 0, false, false, false, false, false
	if f.made.Load() != nil {
		f.unmake()
	}
	framePool.Put(f)
}

// plain returns formPlain.
func (f *Frame) plain() []byte { return f.buf.B[f.start:] }

// appendBase64Frames rewrites WebSocket server frames for a client that takes no binary:
// text as it is, binary as a text of 'b' and base64.
func appendBase64Frames(dst, wire []byte) []byte {
	for {
		op, data, rest, ok := ws.NextFrame(wire)
		if !ok {
			return dst
		}
		if op == ws.OpBinary {
			dst = ws.AppendHeader(dst, ws.OpText, 1+base64.StdEncoding.EncodedLen(len(data)))
			dst = packet.AppendBase64(dst, data)
		} else {
			dst = append(dst, wire[:len(wire)-len(rest)]...)
		}
		wire = rest
	}
}

// appendPolling rewrites WebSocket server frames as polling packets: text as it
// is, binary as 'b' and base64 (fact 15).
func appendPolling(dst, wire []byte) []byte {
	for first := true; ; first = false {
		op, data, rest, ok := ws.NextFrame(wire)
		if !ok {
			return dst
		}
		if !first {
			dst = append(dst, packet.Separator)
		}
		if op == ws.OpBinary {
			dst = packet.AppendBase64(dst, data)
		} else {
			dst = append(dst, data...)
		}
		wire = rest
	}
}
