package main

import (
	"bytes"
	"fmt"

	"github.com/fanfare-go/fanfare/bench/report"
	"github.com/fanfare-go/fanfare/ws"
	"golang.org/x/sys/unix"
)

// connection is one client: 48 bytes.
type connection struct {
	fd       int32
	state    state
	received sequence
	partial  []byte // a frame, or response head, that has not come whole; else nil
}

// state is how far a connection is.
type state int32

const (
	upgrading state = iota // the response to the upgrade is awaited
	opening                // Engine.IO's open packet is
	joining                // the answer to CONNECT is
	joined
)

const (
	upgradeHead = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	replyPrefix = `42["reply","`
	// mostPartial is more than the largest frame a server has reason to send.
	mostPartial = 1 << 20
)

// The frames that a client repeats.
var (
	connectFrame = appendClientFrame(nil, ws.OpText, []byte("40"))
	pongPacket   = appendClientFrame(nil, ws.OpText, []byte("3"))
)

// dial connects a socket, from one of as many addresses as there must be.
func dial(to *unix.SockaddrInet4, i int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("making a socket: %w", err)
	}
	from := unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i/perSource)}}
	for _, step := range []func() error{
		func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) },
		// The port is chosen by connect, which may use it again for another server;
		// bind would look for one that nobody has, ever longer.
		func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1) },
		// At the end everything goes at once, with nothing left in TIME_WAIT.
		func() error {
			return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		},
		func() error { return unix.Bind(fd, &from) },
		func() error { return unix.Connect(fd, to) },
		func() error { return unix.SetNonblock(fd, true) },
	} {
		if err := step(); err != nil {
			_ = unix.Close(fd)
			return -1, fmt.Errorf("connecting to 127.0.0.1:%d: %w", to.Port, err)
		}
	}
	return fd, nil
}

// appendClientFrame appends a masked frame; its key is 0, which is legal and leaves
// the payload as it is. The payload must be shorter than 64 KiB.
func appendClientFrame(dst []byte, op ws.OpCode, payload []byte) []byte {
	start := len(dst)
	dst = ws.AppendHeader(dst, op, len(payload))
	dst[start+1] |= 0x80
	return append(append(dst, 0, 0, 0, 0), payload...)
}

// write sends a whole frame; there is always room, as a client sends next to nothing.
func (k *connection) write(frame []byte) error {
	if n, err := unix.Write(int(k.fd), frame); err != nil {
		return fmt.Errorf("sending: %w", err)
	} else if n < len(frame) {
		return fmt.Errorf("the server took %d of %d bytes", n, len(frame))
	}
	return nil
}

// events is what happened to connections, for their owner to act on.
type events struct {
	joined    int // connections that finished their handshake
	pings     uint64
	counts    report.Count
	delivered func(n uint32) // called for each message that comes for the first time
}

// feed takes what has come, and keeps what is not whole.
func (k *connection) feed(b []byte, e *events) error {
	if len(k.partial) > 0 {
		k.partial = append(k.partial, b...)
		b = k.partial
	}
	rest, err := k.consume(b, e)
	switch {
	case err != nil:
		return err
	case len(rest) > mostPartial:
		return fmt.Errorf("no frame: %.40q", rest)
	case len(rest) == 0:
		k.partial = nil
	default:
		k.partial = append(k.partial[:0], rest...)
	}
	return nil
}

func (k *connection) consume(b []byte, e *events) (rest []byte, err error) {
	if k.state == upgrading {
		head, after, whole := bytes.Cut(b, []byte("\r\n\r\n"))
		if !whole {
			return b, nil
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 101 ")) {
			line, _, _ := bytes.Cut(head, []byte("\r\n"))
			return nil, fmt.Errorf("the server refused the upgrade: %s", line)
		}
		k.state, b = opening, after
	}
	for len(b) > 0 {
		op, payload, rest, ok := ws.NextFrame(b)
		if !ok {
			return b, nil
		}
		switch op {
		case ws.OpText:
			err = k.packet(payload, e)
		case ws.OpPing:
			err = k.write(appendClientFrame(nil, ws.OpPong, payload))
		default:
			err = fmt.Errorf("a frame with opcode %d: %q", op, payload)
		}
		if err != nil {
			return nil, err
		}
		b = rest
	}
	return nil, nil
}

// packet takes one Engine.IO packet.
func (k *connection) packet(p []byte, e *events) error {
	text, isReply := bytes.CutPrefix(p, []byte(replyPrefix))
	switch {
	case isReply && k.state == joined:
		n, ok := sequenceOf(text)
		if !ok {
			return fmt.Errorf("a reply without its number: %q", p)
		}
		if k.received.take(n, &e.counts) {
			e.delivered(n)
		}
		return nil
	case string(p) == "2":
		e.pings++
		return k.write(pongPacket)
	case k.state == opening && p[0] == '0':
		k.state = joining
		return k.write(connectFrame)
	case k.state == joining && bytes.HasPrefix(p, []byte("40")):
		k.state = joined
		e.joined++
		return nil
	}
	return fmt.Errorf("an unexpected packet: %q", p)
}
