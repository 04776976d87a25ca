package forward

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
)

const (
	// fewBytes is what a connection keeps to read into while nothing comes, and manyBytes
	// what it takes while much does.
	fewBytes  = 2 << 10
	manyBytes = 32 << 10
)

// buffers are those of answers on their way, of manyBytes each.
type buffers struct{}

var bufferPool = sync.Pool{New: func() any { return new([manyBytes]byte) }}

func (buffers) Get() []byte  { return bufferPool.Get().(*[manyBytes]byte)[:] }
func (buffers) Put(b []byte) { bufferPool.Put((*[manyBytes]byte)(b)) }

// carry copies until one end fails.
func carry(dst io.Writer, src io.Reader) (written int64, err error) {
	few := make([]byte, fewBytes)
	b := few
	defer func() {
		if len(b) > fewBytes {
			buffers{}.Put(b)
		}
	}()
	for {
		n, err := src.Read(b)
		if n > 0 {
			k, err := dst.Write(b[:n])
			if written += int64(k); err != nil {
				return written, err
			}
		}
		switch {
		case err != nil:
			return written, err
		case n == fewBytes && len(b) == fewBytes:
			b = buffers{}.Get()
		case n < fewBytes && len(b) > fewBytes:
			buffers{}.Put(b)
			b = few
		}
	}
}

// frugalWriter is a ResponseWriter whose connection, once it is hijacked for a WebSocket,
// is copied from and to by carry: io.Copy would keep 64 KiB for each.
type frugalWriter struct{ http.ResponseWriter }

// Unwrap lets an http.ResponseController find the rest.
func (w frugalWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack takes the connection.
func (w frugalWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, buf, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	ahead, _ := buf.Peek(buf.Reader.Buffered())
	return &frugalConn{nc, append([]byte(nil), ahead...)}, buf, nil
}

// frugalConn also has what net/http has read already, behind the request, and the
// ReverseProxy does not look for.
type frugalConn struct {
	net.Conn
	ahead []byte // not yet read again
}

func (c *frugalConn) Read(b []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(b, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// ReadFrom is what io.Copy does with it.
func (c *frugalConn) ReadFrom(r io.Reader) (int64, error) { return ended(carry(c.Conn, r)) }

// WriteTo is likewise.
func (c *frugalConn) WriteTo(w io.Writer) (int64, error) { return ended(carry(w, c)) }

// ended is io.Copy's way to say that all was copied.
func ended(n int64, err error) (int64, error) {
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// CloseWrite lets the client see the end.
func (c *frugalConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
