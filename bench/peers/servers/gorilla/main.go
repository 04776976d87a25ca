// Command gorilla serves the raw dialect with gorilla/websocket: a goroutine reads
// each connection, and a broadcast writes one PreparedMessage to every member from
// the goroutine that received it, which costs less than a queue and a writing
// goroutine for each.
package main

import (
	"net/http"
	"sync"

	"github.com/fanfare-go/fanfare/bench/peers/servers/undertest"
	"github.com/gorilla/websocket"
)

type server struct {
	upgrader websocket.Upgrader
	mu       sync.Mutex
	room     undertest.Room[*member] // guarded by mu
}

// member is a connection; gorilla allows one writer at a time.
type member struct {
	mu   sync.Mutex
	conn *websocket.Conn
}

func main() {
	l := undertest.Listen()
	s := &server{upgrader: websocket.Upgrader{WriteBufferPool: &sync.Pool{}, CheckOrigin: func(*http.Request) bool { return true }}}
	go func() { undertest.Fail(http.Serve(l, s)) }()
	undertest.Wait(l.Addr())
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m := s.join(w, r); m != nil {
		go s.read(m) // so that net/http's buffers can go
	}
}

// join answers the handshake. Whoever has read the answer is a member: a broadcast
// waits for the lock.
func (s *server) join(w http.ResponseWriter, r *http.Request) *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	conn, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil // answered
	}
	m := &member{conn: conn}
	s.room.Add(m)
	return m
}

func (s *server) read(m *member) {
	for {
		_, message, err := m.conn.ReadMessage()
		if err == nil {
			err = s.answer(m, message)
		}
		if err != nil {
			s.leave(m)
			return
		}
	}
}

func (s *server) answer(m *member, message []byte) error {
	switch kind, text := undertest.Ask(message); kind {
	case undertest.Broadcast:
		return s.broadcast(text)
	case undertest.Echo:
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.conn.WriteMessage(websocket.TextMessage, text)
	}
	return nil
}

func (s *server) broadcast(text []byte) error {
	prepared, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room.Each(func(m *member) {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.conn.WritePreparedMessage(prepared) != nil {
			_ = m.conn.Close() // its reader sees to the rest
		}
	})
	return nil
}

func (s *server) leave(m *member) {
	s.mu.Lock()
	s.room.Remove(m)
	s.mu.Unlock()
	_ = m.conn.Close()
}
