// Command gws serves the raw dialect with lxzan/gws and its Broadcaster.
package main

import (
	"bufio"
	"net"
	"net/http"
	"sync"

	"github.com/fanfare-go/fanfare/bench/peers/servers/undertest"
	"github.com/lxzan/gws"
)

type server struct {
	gws.BuiltinEventHandler
	mu   sync.Mutex
	room undertest.Room[*gws.Conn] // guarded by mu
}

func main() {
	l := undertest.Listen()
	s := &server{}
	listening := gws.NewServer(s, &gws.ServerOption{})
	listening.OnRequest = func(conn net.Conn, in *bufio.Reader, r *http.Request) {
		c, err := s.join(listening.GetUpgrader(), conn, in, r)
		if err != nil {
			_ = conn.Close()
			return
		}
		go c.ReadLoop() // so that the request can go
	}
	go func() { undertest.Fail(listening.RunListener(l)) }()
	undertest.Wait(l.Addr())
}

// join answers the handshake. Whoever has read the answer is a member: a broadcast
// waits for the lock.
func (s *server) join(u *gws.Upgrader, conn net.Conn, in *bufio.Reader, r *http.Request) (*gws.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := u.UpgradeFromConn(conn, in, r)
	if err == nil {
		s.room.Add(c)
	}
	return c, err
}

// OnClose implements gws.Event.
func (s *server) OnClose(c *gws.Conn, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room.Remove(c)
}

// OnMessage implements gws.Event.
func (s *server) OnMessage(c *gws.Conn, m *gws.Message) {
	switch kind, text := undertest.Ask(m.Bytes()); kind {
	case undertest.Broadcast:
		s.broadcast(text)
	case undertest.Echo:
		_ = c.WriteMessage(gws.OpcodeText, text) // the library closes what fails
	}
	_ = m.Close() // back to its pool; only now, as text lies inside
}

func (s *server) broadcast(text []byte) {
	b := gws.NewBroadcaster(gws.OpcodeText, text)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room.Each(func(c *gws.Conn) { _ = b.Broadcast(c) })
	_ = b.Close()
}
