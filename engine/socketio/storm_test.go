package socketio_test

import (
	"bytes"
	"errors"
	"net"
	"syscall"
	"testing"
)

// A storm is clients that connect without a pause and leave no garbage of their own,
// so that what a handshake costs can be read off the process.
type storm struct {
	testing.TB
	addr syscall.SockaddrInet4
	head []byte // the upgrade request
	buf  [4096]byte
	fds  []int
}

// The least a client sends, and what a browser with a cookie does.
const (
	leanHead = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	browserHead = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: chat.example.com\r\nConnection: Upgrade\r\n" +
		"Pragma: no-cache\r\nCache-Control: no-cache\r\n" +
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36\r\n" +
		"Upgrade: websocket\r\nOrigin: http://chat.example.com\r\nSec-WebSocket-Version: 13\r\n" +
		"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7\r\n" +
		"Cookie: session=6f1a0d5e9b7c4c3a8e2f0b1d4c5e6f70; theme=dark; consent=yes\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
		"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
)

func newStorm(tb testing.TB, addr, head string) *storm {
	tb.Helper()
	to, err := net.ResolveTCPAddr("tcp4", addr)
	if err != nil {
		tb.Fatal(err)
	}
	s := &storm{TB: tb, head: []byte(head)}
	s.addr = syscall.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}
	tb.Cleanup(s.end)
	return s
}

// end closes the connections. The kernel resets them: as many in TIME_WAIT would be
// in the way of what comes after.
func (s *storm) end() {
	for _, fd := range s.fds {
		_ = syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
		_ = syscall.Close(fd)
	}
	s.fds = s.fds[:0]
}

// connect lets n more clients join the default namespace, so many at the same time.
func (s *storm) connect(n, abreast int) {
	s.Helper()
	for ; n > 0; n -= abreast {
		first := len(s.fds)
		for range min(n, abreast) {
			s.fds = append(s.fds, s.dial())
		}
		wave := s.fds[first:]
		for _, fd := range wave {
			s.say(fd, s.head)
		}
		for _, fd := range wave {
			s.hear(fd, openEnd)
		}
		for _, fd := range wave {
			s.say(fd, maskedConnect)
		}
		for _, fd := range wave {
			s.hear(fd, joinedStart)
		}
	}
}

func (s *storm) dial() int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		err = syscall.Connect(fd, &s.addr)
	}
	if err != nil {
		s.Fatal(err)
	}
	return fd
}

var (
	openEnd       = []byte(`"maxPayload":`)
	maskedConnect = []byte("\x81\x82\x00\x00\x00\x0040") // a text frame whose key is 0
	joinedStart   = []byte(`40{"sid":"`)
)

func (s *storm) say(fd int, b []byte) {
	if n, err := syscall.Write(fd, b); err != nil || n != len(b) {
		s.Fatalf("wrote %d of %d bytes: %v", n, len(b), err)
	}
}

// hear reads until the text has come.
func (s *storm) hear(fd int, text []byte) {
	for have := 0; !bytes.Contains(s.buf[:have], text); {
		n, err := syscall.Read(fd, s.buf[have:])
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil || n == 0:
			s.Fatalf("the server closed (%v) after %q", err, s.buf[:have])
		default:
			have += n
		}
	}
}
