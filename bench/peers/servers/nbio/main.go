// Command nbio serves the raw dialect with lesismal/nbio: one poller, its default
// pool of handlers, and a broadcast as one frame that is built once and written to
// every member's connection below the WebSocket layer.
package main

import (
	"net"
	"net/http"
	"sync"

	"github.com/fanfare-go/fanfare/bench/peers/servers/undertest"
	"github.com/fanfare-go/fanfare/ws"
	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

type server struct {
	upgrader *websocket.Upgrader
	mu       sync.Mutex
	room     undertest.Room[*websocket.Conn] // guarded by mu
}

func main() {
	logging.SetLevel(logging.LevelError)
	l := undertest.Listen()
	s := &server{upgrader: websocket.NewUpgrader()}
	s.upgrader.KeepaliveTime = 0 // no deadline
	s.upgrader.OnClose(func(c *websocket.Conn, _ error) { s.leave(c) })
	s.upgrader.OnMessage(s.answer)
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network: "tcp", Addrs: []string{l.Addr().String()}, NPoller: 1, MaxLoad: 1 << 20,
		Listen:                  func(string, string) (net.Listener, error) { return l, nil },
		Handler:                 s,
		IOMod:                   nbhttp.IOModNonBlocking,
		ReleaseWebsocketPayload: true,
	})
	if err := engine.Start(); err != nil {
		undertest.Fail(err)
	}
	undertest.Wait(l.Addr())
}

// ServeHTTP implements http.Handler. Whoever has read the answer to the handshake is
// a member: a broadcast waits for the lock.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, err := s.upgrader.Upgrade(w, r, nil); err == nil { // a failure is answered
		s.room.Add(c)
	}
}

func (s *server) leave(c *websocket.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room.Remove(c)
}

func (s *server) answer(c *websocket.Conn, _ websocket.MessageType, message []byte) {
	switch kind, text := undertest.Ask(message); kind {
	case undertest.Broadcast:
		s.broadcast(ws.AppendFrame(nil, ws.OpText, text))
	case undertest.Echo:
		_ = c.WriteMessage(websocket.TextMessage, text) // the library closes what fails
	}
}

func (s *server) broadcast(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room.Each(func(c *websocket.Conn) { _, _ = c.Conn.Write(frame) })
}
