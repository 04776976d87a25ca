package ws

import (
	"errors"
	"sync"

	"github.com/klauspost/compress/flate"
)

// flushed is what a flush of the compressor ends with and a message leaves out,
// RFC 7692 section 7.2.1.
const flushed = "\x00\x00\xff\xff"

// The base-2 logarithms of the windows that RFC 7692 section 7.1.2 knows, in bytes.
const (
	MinWindowBits = 8
	MaxWindowBits = 15
)

var errDeflater = errors.New("ws: level 1-9 and window 9-15 bits")

// Deflater compresses messages, each by itself (server_no_context_takeover): the
// result is the same for all clients, so that a broadcast is compressed once. Safe
// for concurrent use. It has as many compressors as are in use at a time, each of 800 KB
// at level 1 and 1.4 MB at level 9.
type Deflater struct {
	level, window int
	writers       sync.Pool
}

// NewDeflater returns a Deflater. Level 1 is the fastest, 9 the smallest; a window of
// less than 15 bits has a level of its own.
func NewDeflater(level, windowBits int) (*Deflater, error) {
	if level < 1 || level > 9 || windowBits <= MinWindowBits || windowBits > MaxWindowBits {
		return nil, errDeflater // 8 bits zlib itself cannot do
	}
	return &Deflater{level: level, window: windowBits}, nil
}

// WindowBits is the window that clients need.
func (d *Deflater) WindowBits() int { return d.window }

// AppendFrame appends a server frame with the payload compressed, RFC 7692 section
// 7.2.1, or as it is where that is not shorter.
func (d *Deflater) AppendFrame(dst []byte, op OpCode, payload []byte) []byte {
	w := d.writer()
	defer d.put(w)
	if p := w.deflate(payload); len(p) < len(payload) {
		start := len(dst)
		dst = AppendFrame(dst, op, p)
		dst[start] |= bitRSV1
		return dst
	}
	return AppendFrame(dst, op, payload)
}

// deflateWriter is a compressor and what it wrote.
type deflateWriter struct {
	z   *flate.Writer
	out []byte
}

// maxKeptOutput is the largest buffer a pooled compressor keeps, in bytes.
const maxKeptOutput = 64 << 10

func (d *Deflater) writer() *deflateWriter {
	if w, ok := d.writers.Get().(*deflateWriter); ok {
		return w
	}
	w := new(deflateWriter)
	if d.window < MaxWindowBits {
		w.z, _ = flate.NewWriterWindow(w, 1<<d.window) // no error for 2^9 to 2^14
	} else {
		w.z, _ = flate.NewWriter(w, d.level) // no error for 1-9
	}
	return w
}

func (d *Deflater) put(w *deflateWriter) {
	if w.out = w.out[:0]; cap(w.out) > maxKeptOutput {
		w.out = nil
	}
	d.writers.Put(w)
}

// deflate returns p compressed; valid until the next call.
func (w *deflateWriter) deflate(p []byte) []byte {
	w.out = w.out[:0]
	w.z.Reset(w)
	_, _ = w.z.Write(p) // w does not fail
	_ = w.z.Flush()
	return w.out[:len(w.out)-len(flushed)]
}

// Write takes the compressor's output.
func (w *deflateWriter) Write(p []byte) (int, error) {
	w.out = append(w.out, p...)
	return len(p), nil
}
