package engine

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// HTTPCompression says how the answers of long-polling are compressed: with gzip or
// deflate, as the client's Accept-Encoding has it. On by default, as with Node.
type HTTPCompression struct {
	// Off leaves all answers as they are. Node: httpCompression: false.
	Off bool
	// Threshold is the size in bytes from which an answer is compressed; default 1024.
	// Node: httpCompression.threshold.
	Threshold int
	// MaxSize is the size in bytes above which it is not: it is compressed on the
	// loop, where others wait meanwhile. Default 256 KiB, some 0.7 ms. Node has no such
	// bound, and has threads for it.
	MaxSize int
	// Level is 1, the fastest and the default, to 9. Node: httpCompression.level,
	// default 6.
	Level int
}

// coding is a content coding, RFC 9110 section 8.4.1.
type coding uint8

const (
	codingNone coding = iota
	codingGzip
	codingDeflate // zlib's format

	codings
)

// codingLines are the header lines of a poll's answer.
var codingLines = [codings][]byte{
	codingNone:    noStore,
	codingGzip:    append([]byte("content-encoding: gzip\r\n"), noStore...),
	codingDeflate: append([]byte("content-encoding: deflate\r\n"), noStore...),
}

// form is that of a frame which is all of an answer.
func (k coding) form() form { return formGzip + form(k-codingGzip) }

// encoding is httpCompression at work. Safe for concurrent use.
type encoding struct {
	HTTPCompression
	writers  [codings]sync.Pool // of *bodyWriter
	bodies   atomic.Uint64      // compressed
	from, to atomic.Uint64      // bytes of them, before and after
}

func newEncoding(o HTTPCompression) (*encoding, error) {
	o.Threshold = orElse(o.Threshold, defaultThreshold)
	o.MaxSize = orElse(o.MaxSize, 256<<10)
	o.Level = orElse(o.Level, 1)
	if o.Level < 1 || o.Level > 9 {
		return nil, ErrBadHTTPCompression
	}
	return &encoding{HTTPCompression: o}, nil
}

// wants reports whether an answer of n bytes is to be compressed.
func (e *encoding) wants(n int) bool { return !e.Off && n >= e.Threshold && n <= e.MaxSize }

// append appends body in the coding to dst.
func (e *encoding) append(dst, body []byte, k coding) []byte {
	w, ok := e.writers[k].Get().(*bodyWriter)
	if !ok {
		w = newBodyWriter(k, e.Level)
	}
	w.dst = dst
	w.z.Reset(w)
	_, _ = w.z.Write(body) // w does not fail
	_ = w.z.Close()
	e.bodies.Add(1)
	e.from.Add(uint64(len(body)))
	e.to.Add(uint64(len(w.dst) - len(dst)))
	dst, w.dst = w.dst, nil
	e.writers[k].Put(w)
	return dst
}

// bodyWriter is a compressor that appends to dst.
type bodyWriter struct {
	z interface {
		io.WriteCloser
		Reset(io.Writer)
	}
	dst []byte
}

func newBodyWriter(k coding, level int) *bodyWriter {
	w := new(bodyWriter)
	if k == codingGzip {
		w.z, _ = gzip.NewWriterLevel(w, level) // no error for 1-9
	} else {
		w.z, _ = zlib.NewWriterLevel(w, level)
	}
	return w
}

// Write takes the compressor's output.
func (w *bodyWriter) Write(p []byte) (int, error) {
	w.dst = append(w.dst, p...)
	return len(p), nil
}

// noteCoding remembers which coding the answer to a poll may have.
func (c *conn) noteCoding(q *http1.Request) {
	c.http.flags &^= httpGzip | httpDeflate
	if c.loop.srv.encoding.Off {
		return
	}
	switch q.AcceptEncoding("gzip", "deflate") {
	case 0:
		c.http.flags |= httpGzip
	case 1:
		c.http.flags |= httpDeflate
	}
}

func (h *httpState) coding() coding {
	switch {
	case h.flags&httpGzip != 0:
		return codingGzip
	case h.flags&httpDeflate != 0:
		return codingDeflate
	}
	return codingNone
}

// answerPoll answers a poll with a payload in the form k; compress says whether the
// answer may be compressed.
func (c *conn) answerPoll(payload []byte, k form, compress bool) {
	l, e, how := c.loop, c.loop.srv.encoding, codingNone
	body := c.http.payloadOf(payload)
	if c.http != nil && compress && e.wants(len(body)) {
		how = c.http.coding()
	}
	if how != codingNone {
		l.encoded = e.append(l.encoded[:0], body, how)
		if len(l.encoded) < len(body) {
			body = l.encoded
		} else {
			how = codingNone
		}
	}
	c.answerIn(how, k.contentType(), body)
	if cap(l.encoded) > maxScratch {
		l.encoded = nil
	}
}

func (c *conn) answerIn(how coding, contentType string, body []byte) {
	c.loop.stats.bytesOut.Add(uint64(len(body)))
	c.answer(http1.Response{Status: http.StatusOK, ContentType: contentType, Header: codingLines[how], Body: body})
}

// flushShared answers the held GET where one frame is all that waits: it is compressed
// once for all who get it so. It reports whether it did.
func (s *Session) flushShared() bool {
	p, srv := s.poll, s.loop.srv
	c, k := p.get, p.get.http.coding()
	if k == codingNone || len(p.frames) != 1 || p.flags&pollPing != 0 ||
		s.payloadForm() != formPolling || c.http.isJSONP() {
		return false
	}
	f := p.frames[0]
	n := len(f.payload(srv, formPolling))
	if f.noCompress || !srv.encoding.wants(n) {
		return false
	}
	body := f.in(srv, k.form())
	if len(body) >= n {
		k, body = codingNone, f.payload(srv, formPolling)
	}
	s.loop.stats.packetsOut.Add(1)
	f.retain(1)
	s.dropQueue()
	p.get, c.session = nil, nil
	c.answerIn(k, textPlain, body)
	f.release(1)
	return true
}
