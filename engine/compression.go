package engine

import (
	"sync/atomic"

	"github.com/fanfare-go/fanfare/ws"
)

// PerMessageDeflate compresses messages over WebSocket (RFC 7692), for clients that
// offer it. Every message is compressed by itself, so that a broadcast is compressed
// once for all its members, and nothing is kept per client; Node keeps a window for
// each by default.
type PerMessageDeflate struct {
	// Threshold is the size in bytes from which a message is compressed; default 1024.
	// Node: perMessageDeflate.threshold.
	Threshold int
	// Level is 1, the fastest and the default, to 9. Node: zlibDeflateOptions.level,
	// default 6.
	Level int
	// WindowBits bounds the window, 9 to 15; default 15, which is 32 KiB. Less has a
	// level of its own, and saves clients memory. A client that demands less than this
	// is served uncompressed. Node: serverMaxWindowBits.
	WindowBits int
}

// deflation is perMessageDeflate at work. Safe for concurrent use.
type deflation struct {
	*ws.Deflater
	threshold int
	clients   atomic.Int64 // connections that agreed to it
	messages  atomic.Uint64
	from, to  atomic.Uint64 // bytes of them, before and after
}

func newDeflation(o *PerMessageDeflate) (*deflation, error) {
	if o == nil {
		return nil, nil
	}
	z, err := ws.NewDeflater(orElse(o.Level, 1), orElse(o.WindowBits, ws.MaxWindowBits))
	if err != nil {
		return nil, ErrBadDeflate
	}
	return &deflation{Deflater: z, threshold: orElse(o.Threshold, defaultThreshold)}, nil
}

// defaultThreshold is Node's, in bytes, for WebSocket and polling alike.
const defaultThreshold = 1024

// wants reports whether anything of f is to be compressed.
func (d *deflation) wants(f *Frame) bool { return !f.noCompress && f.weight() >= d.threshold }

// appendFrame appends the WebSocket frames in wire, those of long messages compressed.
// It reports whether there is any that got shorter.
func (d *deflation) appendFrame(dst, wire []byte) (b []byte, shorter bool) {
	for {
		op, data, rest, ok := ws.NextFrame(wire)
		if !ok {
			return dst, shorter
		}
		if len(data) < d.threshold {
			dst = append(dst, wire[:len(wire)-len(rest)]...)
		} else {
			before := len(dst)
			dst = d.AppendFrame(dst, op, data)
			d.messages.Add(1)
			d.from.Add(uint64(len(data)))
			d.to.Add(uint64(len(dst) - before))
			shorter = shorter || len(dst)-before < len(wire)-len(rest)
		}
		wire = rest
	}
}

// ahead compresses a frame for those who send it, where there are clients who may need
// it so: 1 KiB takes 10 us, 1 MB 2.6 ms, and a loop has others to serve meanwhile. What
// was missed here the loops do: upgrades in between, attachments for revision 3.
func (s *Server) ahead(f *Frame) {
	if d := s.deflation; d != nil && d.clients.Load() > 0 {
		f.wire(s, formDeflated)
	}
}

// noteForm lets senders know of the form of the session's connection.
func (s *Session) noteForm() {
	if s.conn.form&formDeflated != 0 {
		s.set(flagDeflated)
	}
}

// deflates makes the connection one that agreed to permessage-deflate.
func (c *conn) deflates() {
	c.form |= formDeflated
	c.ws.reader.Deflate()
	c.loop.srv.deflation.clients.Add(1)
}
