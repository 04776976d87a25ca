package fleet

import (
	"errors"
	"time"

	"github.com/fanfare-go/fanfare/ws"
	"golang.org/x/sys/unix"
)

// Broadcast has n messages, numbered from first, sent by connection i in one write.
func (f *Fleet) Broadcast(i int, first uint32, n int, due time.Duration) {
	c := &f.conns[i]
	if c.phase != ready {
		return // it was closed: the texts are lost, and counted so
	}
	f.out = f.out[:0]
	for k := range uint32(n) {
		f.text = f.texts.append(f.text[:0], first+k, due)
		f.outMessage = f.dialect.appendBroadcast(f.outMessage[:0], first+k, f.text)
		f.out = appendMasked(f.out, ws.OpText, f.outMessage)
	}
	f.send(i, c, f.out)
}

// Echo begins a round trip on a connection that has none, taking one after the
// other; false when there is none.
func (f *Fleet) Echo(due time.Duration) bool {
	for range f.conns {
		i := f.cursor
		if f.cursor++; f.cursor == len(f.conns) {
			f.cursor = 0
		}
		if c := &f.conns[i]; c.phase == ready && !c.busy {
			f.echo(i, c, due)
			return true
		}
	}
	return false
}

func (f *Fleet) echo(i int, c *conn, due time.Duration) {
	c.busy = true
	number := c.sequence.next
	f.text = f.texts.append(f.text[:0], number, due)
	f.outMessage = f.dialect.appendEcho(f.outMessage[:0], number, f.text)
	f.out = appendMasked(f.out[:0], ws.OpText, f.outMessage)
	f.send(i, c, f.out)
}

// Echoed is how many round trips have ended since it was called last.
func (f *Fleet) Echoed() (n int) {
	n, f.echoed = f.echoed, 0
	return n
}

func (f *Fleet) sendText(i int, c *conn, text string) {
	f.out = appendMasked(f.out[:0], ws.OpText, []byte(text))
	f.send(i, c, f.out)
}

// send sends b, and keeps what the kernel has no room for.
func (f *Fleet) send(i int, c *conn, b []byte) {
	if waiting := f.unsent[int32(i)]; len(waiting) > 0 {
		f.unsent[int32(i)] = append(waiting, b...)
		return
	}
	if rest := f.write(c, b); len(rest) > 0 {
		f.unsent[int32(i)] = append([]byte(nil), rest...)
		f.watch(i, c, readable|unix.EPOLLOUT)
	}
}

// flush goes on where send stopped.
func (f *Fleet) flush(i int, c *conn) {
	rest := f.write(c, f.unsent[int32(i)])
	if f.unsent[int32(i)] = rest; len(rest) == 0 {
		delete(f.unsent, int32(i))
		if c.phase != closed {
			f.watch(i, c, readable)
		}
	}
}

// write returns what could not be sent yet. A failure shows when the connection is
// read next.
func (f *Fleet) write(c *conn, b []byte) (rest []byte) {
	for len(b) > 0 {
		n, err := writeSocket(c.fd, b)
		switch {
		case err == nil:
			b = b[n:]
		case errors.Is(err, unix.EAGAIN):
			return b
		case !errors.Is(err, unix.EINTR):
			return nil
		}
	}
	return nil
}

// appendMasked appends a client's frame. Its mask is 0, which is legal (RFC 6455
// section 5.3 wants it unpredictable against proxies, of which there are none here)
// and costs neither side less than another: the server unmasks all the same.
func appendMasked(dst []byte, op ws.OpCode, payload []byte) []byte {
	const maskBit = 0x80
	at := len(dst)
	dst = ws.AppendHeader(dst, op, len(payload))
	dst[at+1] |= maskBit
	dst = append(dst, 0, 0, 0, 0)
	return append(dst, payload...)
}
