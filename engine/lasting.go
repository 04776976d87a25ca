package engine

import (
	"bytes"

	"github.com/fanfare-go/fanfare/ws"
	"github.com/valyala/bytebufferpool"
)

// What a log of sent frames needs, so that it can keep them and send them again.

// NewLastingFrame is NewFrame for a frame that one reference is kept of for minutes: its
// buffer is not much larger than the hint, and what was made of it for clients of other
// kinds goes once they have it. Frames that come and go need not mind.
func NewLastingFrame(hint int) *Frame {
	f := framePool.Get().(*Frame)
	f.refs.Store(1)
	f.lasting = true
	f.buf = bytebufferpool.Get()
	need := hint + ws.MaxHeaderSize + 1
	if c := cap(f.buf.B); c < need || c > need+need/2 {
		f.buf.B = make([]byte, 0, need)
	}
	return f
}

// Patch overwrites a part of the packet, from index at: of the slice that was given to
// End, or one that Find returned. It must be called before the frame is sent.
func (f *Frame) Patch(at int, text []byte) { copy(f.buf.B[at:], text) }

// Find returns the index for Patch of where text stands last in the packet; -1 where it
// does not. It must be called before the frame is sent.
func (f *Frame) Find(text []byte) int { return bytes.LastIndex(f.buf.B, text) }

// Retain takes one more reference, to be given back with Release.
func (f *Frame) Retain() { f.retain(1) }

// Cost is what the frame's bytes occupy in memory.
func (f *Frame) Cost() int { return cap(f.buf.B) }

// Message returns the text message, without the engine's prefix, and the binary
// messages that belong to it. They are the frame's own memory: valid while the
// caller has a reference, and not to be changed.
func (f *Frame) Message() (text []byte, binary [][]byte) {
	for wire := f.plain(); ; {
		op, data, rest, ok := ws.NextFrame(wire)
		switch {
		case !ok:
			return text, binary
		case op == ws.OpBinary:
			binary = append(binary, data)
		default:
			text = data[1:] // behind the packet type
		}
		wire = rest
	}
}

// Clone returns a frame of its own with the same bytes and one reference, which may
// be patched.
func (f *Frame) Clone() *Frame {
	c := NewLastingFrame(len(f.buf.B))
	c.buf.B = append(c.buf.B[:0], f.buf.B...)
	c.start, c.volatile, c.kept, c.attached, c.noCompress = f.start, f.volatile, f.kept, f.attached, f.noCompress
	return c
}

// Join returns one frame, with one reference, that has the messages of all: they are
// sent together, in one write or as the answer to one poll.
func Join(frames []*Frame) *Frame {
	size := 0
	for _, f := range frames {
		size += len(f.plain())
	}
	j := NewFrame(size)
	j.buf.B, j.start = j.buf.B[:0], 0
	for _, f := range frames {
		j.buf.B = append(j.buf.B, f.plain()...)
		j.attached = j.attached || f.attached
		j.kept = j.kept || f.kept
		j.noCompress = j.noCompress || f.noCompress
	}
	return j
}

// SendAll is Send for several frames, with nothing in between.
func (s *Session) SendAll(frames []*Frame) {
	tasks := make([]task, 0, len(frames))
	for _, f := range frames {
		f.retain(1)
		tasks = append(tasks, task{kind: taskSend, session: s, frame: f})
	}
	wake, open := s.loop.box.PushAll(tasks...)
	if wake {
		s.loop.self.ring()
	}
	if !open {
		for _, f := range frames {
			f.release(1)
		}
	}
}

// Abandon ends the session with ReasonTransportClose: its client is known to have
// gone elsewhere.
func (s *Session) Abandon() {
	s.Run(func() { s.close(ReasonTransportClose, byPeer) })
}

// Waiting returns how many bytes wait for a client that does not take them, or for
// its next poll. Loop-only: see Run.
func (s *Session) Waiting() int { return s.waiting() }

// PongReceiver is a Receiver that wants to know of answered heartbeats.
type PongReceiver interface {
	// Pong is called when the client has answered a ping. idle says that nothing waits
	// for it: what was sent until now is on its way, and received by the time that it
	// answers the next one. On the session's loop; it must not block.
	Pong(idle bool)
}
