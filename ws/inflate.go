package ws

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/flate"
	"github.com/valyala/bytebufferpool"
)

// inflateTail is what a compressed message is read with behind it: the end of the
// flush that it leaves out, RFC 7692 section 7.2.2, and an empty last block, which
// makes the end of the bytes the end of the stream.
const inflateTail = flushed + "\x01\x00\x00\xff\xff"

// maxStreams is how many streams one message may consist of. A block with BFINAL ends
// one (RFC 7692 section 7.2.3.4); two bytes suffice for that.
const maxStreams = 256

// inflateStart is the size in bytes in which decompression begins; buffers double.
const inflateStart = 1 << 10

// Inflated counts what compressed messages brought. To be read by anybody.
type Inflated struct {
	Messages atomic.Uint64
	From     atomic.Uint64 // bytes compressed
	To       atomic.Uint64 // bytes decompressed
}

// inflater is a decompressor, some 40 KB with its window. No client keeps one:
// client_no_context_takeover is part of every answer.
type inflater struct {
	z   io.ReadCloser // a flate.Resetter
	src bytes.Reader
}

var inflaters = sync.Pool{New: func() any {
	i := new(inflater)
	i.z = flate.NewReader(&i.src)
	return i
}}

// inflate decompresses a message into a buffer of take's. However much it would
// become, no more is made of it than the limit and a byte. p must have room for
// inflateTail behind it, which it overwrites.
func inflate(p []byte, lim *Limits) (*bytebufferpool.ByteBuffer, *CloseError) {
	i := inflaters.Get().(*inflater)
	i.src.Reset(append(p, inflateTail...))
	out, fault := i.all(take(inflateStart), lim.message())
	i.src.Reset(nil)
	inflaters.Put(i)
	if fault != nil {
		give(out)
		return nil, fault
	}
	if n := lim.Inflated; n != nil {
		n.Messages.Add(1)
		n.From.Add(uint64(len(p)))
		n.To.Add(uint64(len(out.B)))
	}
	return out, nil
}

// all appends the streams of a message to out and returns it, or what took its place.
func (i *inflater) all(out *bytebufferpool.ByteBuffer, limit int64) (*bytebufferpool.ByteBuffer, *CloseError) {
	for range maxStreams {
		_ = i.z.(flate.Resetter).Reset(&i.src, nil) // no error
		var err error
		if out, err = i.stream(out, limit); err != nil {
			return out, faultOf(err)
		}
		if i.src.Len() <= len(inflateTail) {
			return out, nil // a stream with BFINAL, and nothing behind it, is let pass as Node does
		}
	}
	return out, ErrDeflate
}

// stream appends one stream.
func (i *inflater) stream(out *bytebufferpool.ByteBuffer, limit int64) (*bytebufferpool.ByteBuffer, error) {
	for {
		if len(out.B) == cap(out.B) {
			out = grow(out, 1)
		}
		room := min(int64(cap(out.B)-len(out.B)), limit+1-int64(len(out.B)))
		n, err := i.z.Read(out.B[len(out.B):][:room])
		out.B = out.B[:len(out.B)+n]
		switch {
		case int64(len(out.B)) > limit:
			return out, ErrMessageTooBig
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return out, err
		}
	}
}

// faultOf makes an error of the decompressor the peer's fault.
func faultOf(err error) *CloseError {
	if errors.Is(err, ErrMessageTooBig) {
		return ErrMessageTooBig
	}
	return ErrDeflate
}
