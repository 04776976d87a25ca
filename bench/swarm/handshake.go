package swarm

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// perSource is how many connections come from one address of 127.0.0.0/8: there
// are some 28,000 ports for each, and those of closed ones rest for a minute.
const perSource = 10_000

func dial(addr *net.TCPAddr, i int) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	// The port is chosen by connect, which may use it again for another server; bind
	// would search for one that nobody has, ever longer.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	from := unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i/perSource%200)}}
	if err := unix.Bind(fd, &from); err != nil {
		return fd, err
	}
	to := unix.SockaddrInet4{Port: addr.Port, Addr: [4]byte(addr.IP.To4())}
	return fd, unix.Connect(fd, &to)
}

const (
	upgradeHead = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"
	pollingTarget = "/socket.io/?EIO=4&transport=polling"
)

// shakeHands does what a client of this kind begins with, on a blocking socket.
func (k *client) shakeHands() error {
	switch k.kind {
	case WebSocket:
		return k.openWebSocket("")
	case Deflate:
		return k.openWebSocket("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
	case Polling:
		return k.openPolling()
	case HeldPoll:
		if err := k.openPolling(); err != nil {
			return err
		}
		k.steps = [][]byte{k.get()}
		return send(k.fd, string(k.steps[0]))
	case Raw:
		return nil
	}
	return fmt.Errorf("no kind of client is called %q", k.kind)
}

// openWebSocket upgrades and joins the default namespace; offer is a further header
// line.
func (k *client) openWebSocket(offer string) error {
	if err := send(k.fd, fmt.Sprintf(upgradeHead, k.host, offer)); err != nil {
		return err
	}
	if _, err := readUntil(k.fd, `"maxPayload":`); err != nil {
		return err
	}
	if err := send(k.fd, string(frame("40"))); err != nil {
		return err
	}
	_, err := readUntil(k.fd, `40{"sid":"`)
	return err
}

// openPolling opens a polling session and joins the default namespace.
func (k *client) openPolling() error {
	if err := send(k.fd, "GET "+pollingTarget+" HTTP/1.1\r\nHost: "+k.host+"\r\n\r\n"); err != nil {
		return err
	}
	open, err := readUntil(k.fd, `"maxPayload":`)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(open, `"sid":"`)
	k.sid, _, _ = strings.Cut(rest, `"`)
	if err := send(k.fd, string(k.post("40"))); err != nil {
		return err
	}
	if _, err := readUntil(k.fd, "\r\n\r\nok"); err != nil {
		return err
	}
	if err := send(k.fd, string(k.get())); err != nil {
		return err
	}
	_, err = readUntil(k.fd, `40{"sid":"`)
	return err
}

func send(fd int, s string) error {
	for len(s) > 0 {
		n, err := unix.Write(fd, []byte(s))
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return err
		}
		s = s[max(n, 0):]
	}
	return nil
}

// readUntil reads until the text has come, and what came with it.
func readUntil(fd int, text string) (string, error) {
	var got []byte
	var b [4096]byte
	for !bytes.Contains(got, []byte(text)) {
		n, err := unix.Read(fd, b[:])
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return "", err
		case n == 0:
			return "", fmt.Errorf("the server closed after %q", got)
		}
		got = append(got, b[:max(n, 0)]...)
	}
	return string(got), nil
}
