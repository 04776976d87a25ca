package run_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/ws"
)

// startSocketIO runs the real server, with what the dialect asks of it.
func startSocketIO(t *testing.T, o socketio.Options) (url string) {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	server := socketio.New(o)
	socketio.On(server, "chatMessage", func(_ context.Context, _ *socketio.Socket, text string) error {
		return server.Emit("reply", text)
	})
	socketio.OnAck(server, "echo", func(_ context.Context, _ *socketio.Socket, text string) (string, error) {
		return text, nil
	})
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "ws://" + server.Addr().String()
}

// tiny is a WebSocket server of a few lines: what it does with a message, its
// protocol says.
type tiny struct {
	protocol func(s *tiny, from *peer, message string)
	mu       sync.Mutex
	peers    []*peer
	sent     int // broadcasts
}

type peer struct {
	net.Conn
	tiny *tiny
}

func startTiny(t *testing.T, protocol func(s *tiny, from *peer, message string)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &tiny{protocol: protocol}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait() // the clients have gone by now
	})
	return "ws://" + l.Addr().String()
}

func (s *tiny) serve(c net.Conn) {
	defer c.Close() //nolint:errcheck // the client has what it wants
	in := bufio.NewReader(c)
	req, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	h := ws.Handshake{
		Upgrade: []byte(req.Header.Get("Upgrade")), Connection: []byte(req.Header.Get("Connection")),
		Version: []byte(req.Header.Get("Sec-WebSocket-Version")), Key: []byte(req.Header.Get("Sec-WebSocket-Key")),
	}
	if h.Check() != nil {
		return
	}
	p := &peer{c, s}
	s.mu.Lock()
	_, err = c.Write(h.AppendAccept(nil, nil))
	s.peers = append(s.peers, p)
	s.mu.Unlock()
	var r ws.Reader
	defer r.Reset()
	b := make([]byte, 4096)
	for err == nil {
		var n int
		if n, err = in.Read(b); err == nil {
			err = r.Feed(b[:n], &ws.Limits{}, p)
		}
	}
}

func (p *peer) Message(_ ws.OpCode, m []byte) error {
	p.tiny.mu.Lock()
	defer p.tiny.mu.Unlock()
	p.tiny.protocol(p.tiny, p, string(m))
	return nil
}

func (p *peer) Ping([]byte) error                  { return nil }
func (p *peer) Pong([]byte) error                  { return nil }
func (p *peer) Closed(ws.StatusCode, []byte) error { return errors.New("closed") }

func (p *peer) say(message string) {
	_, _ = p.Write(ws.AppendFrame(nil, ws.OpText, []byte(message)))
}

func (s *tiny) all(message string) {
	for _, p := range s.peers {
		p.say(message)
	}
}

// rawProtocol is the dialect raw, done well.
func rawProtocol(s *tiny, from *peer, m string) {
	if text, ok := strings.CutPrefix(m, "b"); ok {
		s.all(text)
	} else if text, ok := strings.CutPrefix(m, "e"); ok {
		from.say(text)
	}
}

// centrifugeProtocol is as much of centrifuge's JSON protocol as is used. Its
// answers to connect carry a heartbeat in the same message.
func centrifugeProtocol(s *tiny, from *peer, m string) {
	number := func() string { _, m, _ := strings.Cut(m, `{"id":`); id, _, _ := strings.Cut(m, ","); return id }
	data := func() string { _, m, _ := strings.Cut(m, `"data":`); return strings.TrimSuffix(m, "}}") }
	switch {
	case m == "{}":
	case strings.Contains(m, `"connect":`):
		from.say(`{"id":` + number() + `,"connect":{"client":"c","version":"","ping":25,"pong":true}}`)
	case strings.Contains(m, `"subscribe":{"channel":"chat"}`):
		from.say(`{"id":` + number() + `,"subscribe":{}}`)
		from.say("{}")
	case strings.Contains(m, `"publish":{"channel":"chat"`):
		s.all(`{"push":{"channel":"chat","pub":{"data":` + data() + `}}}` + "\n{}")
		from.say(`{"id":` + number() + `,"publish":{}}`)
	case strings.Contains(m, `"rpc":{"method":"echo"`):
		from.say(`{"id":` + number() + `,"rpc":{"data":` + data() + `}}`)
	}
}

// faulty is rawProtocol with something wrong at the fifth broadcast.
func faulty(fault func(s *tiny, text string)) func(*tiny, *peer, string) {
	return func(s *tiny, from *peer, m string) {
		text, ok := strings.CutPrefix(m, "b")
		if s.sent++; ok && s.sent == 5 {
			fault(s, text)
			return
		}
		rawProtocol(s, from, m)
	}
}

// page is a server of something else.
func startPage(t *testing.T) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = bytes.NewBufferString("a page").WriteTo(w)
	})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-served
	})
	return "ws://" + l.Addr().String()
}
