package webtransport

import (
	"bufio"
	"errors"
	"io"
	"net"
	"time"

	"github.com/gobwas/ws"
)

// errClosed says that the server closed the WebSocket in good order.
var errClosed = errors.New("webtransport: closed by the server")

// maxBlocked is how long a client may take nothing before its session ends: the server
// cannot see it while the connection between takes more.
const maxBlocked = 30 * time.Second

// carryIn makes packets of a stream frames of a WebSocket, until either ends. Nothing is
// held back: the server's own limits apply to the frame's header.
func carryIn(nc io.Writer, stream io.Reader) error {
	w := bufio.NewWriter(nc)
	for {
		h, err := readHeader(stream)
		if err == errEmpty || err == errLong {
			return errors.Join(err, ws.WriteHeader(nc, ws.Header{Fin: true, OpCode: ws.OpText, Masked: true})) // a parse error over there, too
		}
		if err != nil {
			return err
		}
		frame := ws.Header{Fin: true, OpCode: ws.OpText, Masked: true, Length: int64(h.length)} // a mask of zeros changes nothing
		if h.binary {
			frame.OpCode = ws.OpBinary
		}
		if err := ws.WriteHeader(w, frame); err != nil {
			return err
		}
		if h.length > uint64(w.Available()) { // the server judges a long one by its header
			if err := w.Flush(); err != nil {
				return err
			}
		}
		if _, err := io.CopyN(w, stream, int64(h.length)); err != nil {
			return noEOF(err)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
}

// outStream is what a session's stream is for its writer.
type outStream interface {
	io.Writer
	SetWriteDeadline(t time.Time) error
}

// carryOut makes frames of a WebSocket packets on a stream, until either ends.
func carryOut(stream outStream, r *bufio.Reader) error {
	w := bufio.NewWriter(patient{stream})
	for {
		frame, err := ws.ReadHeader(r)
		if err != nil {
			return err
		}
		switch frame.OpCode {
		case ws.OpText, ws.OpBinary:
		case ws.OpClose:
			return errors.Join(errClosed, w.Flush())
		default: // the server sends no pings of its own
			if _, err := io.CopyN(io.Discard, r, frame.Length); err != nil {
				return err
			}
			continue
		}
		h := header{frame.OpCode == ws.OpBinary, uint64(frame.Length)}
		if _, err := w.Write(h.append(w.AvailableBuffer())); err != nil {
			return err
		}
		if _, err := io.CopyN(w, r, frame.Length); err != nil {
			return err
		}
		if r.Buffered() == 0 { // more packets leave together
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

// patient gives the client so much time to take each write.
type patient struct{ outStream }

func (p patient) Write(b []byte) (int, error) {
	_ = p.SetWriteDeadline(time.Now().Add(maxBlocked))
	return p.outStream.Write(b)
}

// answerClose answers the server's close frame, so that it need not wait for it.
func answerClose(nc net.Conn, err error) {
	if errors.Is(err, errClosed) {
		_, _ = nc.Write(ws.MustCompileFrame(ws.MaskFrameInPlace(ws.NewCloseFrame(nil))))
	}
	_ = nc.Close()
}
