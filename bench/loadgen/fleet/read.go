package fleet

import (
	"errors"
	"fmt"
	"io"

	"github.com/fanfare-go/fanfare/ws"
	"golang.org/x/sys/unix"
)

var errFrame = errors.New("loadgen: the server sent a frame that is masked, fragmented or has reserved bits, which this client does not read")

// read reads once what has come for c, together with what was left of the last time.
// There may be more if it filled the buffer, or where the connection ends behind it.
func (f *Fleet) read(i int, c *conn, ends bool) (more bool) {
	if len(c.carry) > len(f.in)/2 {
		f.in = make([]byte, 4*len(c.carry))
	}
	had := copy(f.in, c.carry)
	n, err := readSocket(c.fd, f.in[had:])
	switch {
	case errors.Is(err, unix.EINTR):
		return true
	case errors.Is(err, unix.EAGAIN):
		return false
	case err != nil:
		f.ended(c, err)
		return false
	case n == 0:
		f.ended(c, io.EOF)
		return false
	}
	more = ends || had+n == len(f.in)
	if c.phase == draining {
		f.Drained += uint64(n)
		return more
	}
	f.now = Now()
	f.keepCarry(c, f.take(i, c, f.in[:had+n]))
	return more && f.err == nil
}

// take handles what is whole in b and returns the rest.
func (f *Fleet) take(i int, c *conn, b []byte) (rest []byte) {
	if c.phase == upgrading {
		var ok bool
		if b, ok = f.upgraded(i, c, b); !ok {
			return b
		}
	}
	for len(b) > 0 && c.phase != closed && c.phase != asleep {
		op, payload, rest, ok := ws.NextFrame(b)
		if !ok {
			f.checkPart(b)
			return b
		}
		f.frame(i, c, op, payload)
		b = rest
	}
	return nil
}

// checkPart: what is not a whole frame must be able to become one.
func (f *Fleet) checkPart(b []byte) {
	const fin, maskBit, opBits = 0x80, 0x80, 0x0f
	if b[0]&^opBits != fin || len(b) > 1 && b[1]&maskBit != 0 {
		f.fail(errFrame)
	}
}

// keepCarry keeps rest, which lies in f.in, for the next read. A connection has a
// buffer only while a frame of it is in parts.
func (f *Fleet) keepCarry(c *conn, rest []byte) {
	if len(rest) == 0 {
		if c.carry != nil {
			f.spare = append(f.spare, c.carry[:0])
			c.carry = nil
		}
		return
	}
	if last := len(f.spare) - 1; c.carry == nil && last >= 0 {
		c.carry, f.spare = f.spare[last], f.spare[:last]
	}
	c.carry = append(c.carry[:0], rest...)
}

func (f *Fleet) frame(i int, c *conn, op ws.OpCode, payload []byte) {
	switch op {
	case ws.OpText, ws.OpBinary:
		if c.phase == greeting {
			f.greet(i, c, payload)
			return
		}
		f.message(i, c, payload)
	case ws.OpPing:
		f.out = appendMasked(f.out[:0], ws.OpPong, payload)
		f.send(i, c, f.out)
	case ws.OpPong:
	case ws.OpClose:
		f.ended(c, closeReason(payload))
	default:
		f.fail(errFrame)
	}
}

func (f *Fleet) message(i int, c *conn, m []byte) {
	for len(m) > 0 && c.phase == ready {
		k, text, rest := f.dialect.read(m)
		switch {
		case k == kind(f.o.Hears):
			f.hear(c, text)
		case k == heartbeat:
			f.sendText(i, c, f.dialect.pong())
		case k == farewell:
			f.ended(c, fmt.Errorf("disconnected by %.80q", m))
		}
		m = rest
	}
}

// hear counts a text.
func (f *Fleet) hear(c *conn, text []byte) {
	number, due, err := f.texts.parse(text)
	if err != nil {
		f.fail(fmt.Errorf("loadgen: the server changed a message: %w", err))
		return
	}
	if !c.sequence.take(number, &f.Tally.Counts) {
		return
	}
	f.Tally.Heard.Add(f.now-due, 1)
	f.Tally.LastHeard = f.now
	if f.o.Hears == Echoes {
		c.busy = false
		f.echoed++
	}
}
