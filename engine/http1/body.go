package http1

// Limits of the framing of a chunked body, in bytes. Extensions and trailers are
// checked and dropped; the limits keep them from being a way to send without end.
const (
	MaxExtensionBytes  = 256     // extensions of one chunk
	MaxExtensionsBytes = 4 << 10 // extensions of one body
	MaxTrailerBytes    = 2 << 10 // trailer section with its line ends
)

// Body decodes one request body of a known length or chunked (RFC 9112 §6, §7.1).
// The zero value is the body of a request that has none. Loop-only. 24 bytes.
type Body struct {
	left       int64 // bytes to come of the body or, if chunked, of this chunk
	err        *Error
	extensions uint16 // bytes in all chunks so far
	extension  uint16 // bytes in this chunk
	trailer    uint16 // bytes of the trailer section so far
	state      bodyState
	count      uint8 // digits of this chunk's size, then trailer fields
}

type bodyState uint8

const (
	bodyEnded    bodyState = iota
	bodyLength             // left bytes follow
	chunkSize              // hexadecimal digits, then ";" or CR
	chunkExt               // up to CR
	chunkSizeLF            // LF after size and extensions
	chunkData              // left bytes follow
	chunkDataCR            // CR after the data
	chunkDataLF            // LF after the data
	trailerStart           // a trailer field or the CR that ends the body
	trailerName            // up to ":"
	trailerValue           // up to CR
	trailerLF              // LF after a trailer field
	bodyLF                 // the last LF
)

// NewBody returns the decoder of the body that follows q's head. Loop-only.
func NewBody(q *Request) Body {
	switch {
	case q.ContentLength > 0:
		return Body{state: bodyLength, left: q.ContentLength}
	case q.ContentLength < 0:
		return Body{state: chunkSize}
	}
	return Body{}
}

// Pending returns how many bytes of content are known to be still to come: the
// rest of the declared length or of the current chunk. A caller with a limit can
// refuse (413) before it buffers them. Loop-only.
func (d *Body) Pending() int64 {
	if d.state == bodyLength || d.state == chunkData {
		return d.left
	}
	return 0
}

// Next consumes the start of b: data is the content found there, a sub-slice of b
// that may be empty, and n the bytes consumed. done says that the body has ended
// and b[n:] belongs to the next request. Call it, each time with the bytes not
// consumed yet, until done or until n == len(b). An error is an [*Error] and
// final. The size of the whole is the caller's to limit. Loop-only; it does not
// allocate.
func (d *Body) Next(b []byte) (data []byte, n int, done bool, err error) {
	if d.err != nil {
		return nil, 0, false, d.err
	}
	for n < len(b) && d.state != bodyEnded {
		if d.state == bodyLength || d.state == chunkData {
			data = d.take(b[n:])
			return data, n + len(data), d.state == bodyEnded, nil
		}
		if d.err = d.step(b[n]); d.err != nil {
			return nil, n, false, d.err
		}
		n++
	}
	return nil, n, d.state == bodyEnded, nil
}

// take cuts the content off b, which is not empty.
func (d *Body) take(b []byte) []byte {
	if int64(len(b)) < d.left {
		d.left -= int64(len(b))
		return b
	}
	b = b[:d.left]
	d.left = 0
	if d.state == bodyLength {
		d.state = bodyEnded
	} else {
		d.state = chunkDataCR
	}
	return b
}

// step moves over one byte of chunked framing.
func (d *Body) step(c byte) *Error {
	switch d.state {
	case chunkSize:
		return d.sizeByte(c)
	case chunkExt:
		return d.extensionByte(c)
	case chunkSizeLF:
		if c != '\n' {
			return ErrChunkSize
		}
		d.beginChunk()
	case chunkDataCR:
		if c != '\r' {
			return ErrChunkEnd
		}
		d.state = chunkDataLF
	case chunkDataLF:
		if c != '\n' {
			return ErrChunkEnd
		}
		d.state = chunkSize
	default:
		return d.trailerByte(c)
	}
	return nil
}

// sizeByte reads 1*16HEXDIG. Whitespace around it is refused, as net/http does.
func (d *Body) sizeByte(c byte) *Error {
	switch {
	case octets[c]&hexOctet != 0:
		if d.count == 16 || d.left > (1<<63-1)>>4 {
			return ErrChunkSize
		}
		d.count++
		d.left = d.left<<4 | int64(unhex(c))
	case d.count == 0:
		return ErrChunkSize
	case c == ';':
		d.state = chunkExt
		return d.extensionByte(c)
	case c == '\r':
		d.state = chunkSizeLF
	default:
		return ErrChunkSize
	}
	return nil
}

// extensionByte skips extensions (RFC 9112 §7.1.1), none of which is known here.
func (d *Body) extensionByte(c byte) *Error {
	if c == '\r' {
		d.state = chunkSizeLF
		return nil
	}
	d.extension++
	d.extensions++
	if octets[c]&valueOctet == 0 || d.extension > MaxExtensionBytes || d.extensions > MaxExtensionsBytes {
		return ErrChunkExtension
	}
	return nil
}

func (d *Body) beginChunk() {
	d.count, d.extension = 0, 0
	d.state = chunkData
	if d.left == 0 {
		d.state = trailerStart
	}
}

// trailerByte reads the trailer section (RFC 9112 §7.1.2) by the rules for fields.
func (d *Body) trailerByte(c byte) *Error {
	if d.trailer++; d.trailer > MaxTrailerBytes {
		return ErrTrailers
	}
	switch d.state {
	case trailerStart:
		return d.trailerStartByte(c)
	case trailerName:
		if c == ':' {
			d.state = trailerValue
		} else if octets[c]&tokenOctet == 0 {
			return ErrFieldName
		}
	case trailerValue:
		if c == '\r' {
			d.state = trailerLF
		} else if octets[c]&valueOctet == 0 {
			return ErrFieldValue
		}
	case trailerLF:
		d.state = trailerStart
		if c != '\n' {
			return ErrLineEnd
		}
	case bodyLF:
		d.state = bodyEnded
		if c != '\n' {
			return ErrLineEnd
		}
	}
	return nil
}

func (d *Body) trailerStartByte(c byte) *Error {
	switch {
	case c == '\r':
		d.state = bodyLF
		return nil
	case isOWS(c):
		return ErrFold
	case octets[c]&tokenOctet == 0:
		return ErrFieldName
	}
	if d.count++; d.count > MaxFields {
		return ErrTrailers
	}
	d.state = trailerName
	return nil
}

// unhex returns the value of a hexadecimal digit.
func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}
