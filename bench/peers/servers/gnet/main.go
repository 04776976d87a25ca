// Command gnet serves the raw dialect with bare gnet and gobwas/ws: one event loop,
// frames parsed in place, and for a broadcast the loop's own Write to every member.
package main

import (
	"bytes"
	"io"

	"github.com/fanfare-go/fanfare/bench/peers/servers/undertest"
	"github.com/gobwas/ws"
	"github.com/panjf2000/gnet/v2"
	"go.uber.org/zap"
)

type server struct {
	gnet.BuiltinEventEngine
	booted chan struct{}
	room   undertest.Room[gnet.Conn] // of the one loop
	in     bytes.Reader              // over what a connection has received
}

func main() {
	// gnet cannot be given a listener, nor say which port it was given: take a free
	// one and let it go again.
	l := undertest.Listen()
	at := l.Addr()
	if err := l.Close(); err != nil {
		undertest.Fail(err)
	}
	s := &server{booted: make(chan struct{})}
	go func() {
		undertest.Fail(gnet.Run(s, "tcp://"+at.String(), gnet.WithNumEventLoop(1), gnet.WithTCPNoDelay(gnet.TCPNoDelay),
			gnet.WithLogger(zap.NewNop().Sugar())))
	}()
	<-s.booted
	undertest.Wait(at)
}

// OnBoot implements gnet.EventHandler. The listener is open by then.
func (s *server) OnBoot(gnet.Engine) gnet.Action {
	close(s.booted)
	return gnet.None
}

// OnClose implements gnet.EventHandler.
func (s *server) OnClose(c gnet.Conn, _ error) gnet.Action {
	s.room.Remove(c)
	return gnet.None
}

// OnTraffic implements gnet.EventHandler.
func (s *server) OnTraffic(c gnet.Conn) gnet.Action {
	if c.Context() == nil {
		if !s.upgrade(c) {
			return gnet.None
		}
		c.SetContext(true)
		s.room.Add(c)
	}
	for {
		op, payload, ok := s.next(c)
		if !ok {
			return gnet.None
		}
		if op == ws.OpClose || s.answer(c, op, payload) != nil {
			return gnet.Close
		}
	}
}

// upgrade answers the request once all of it is there.
func (s *server) upgrade(c gnet.Conn) bool {
	b, _ := c.Peek(-1)
	if !bytes.Contains(b, []byte("\r\n\r\n")) {
		return false
	}
	s.in.Reset(b)
	if _, err := ws.Upgrade(struct {
		io.Reader
		io.Writer
	}{&s.in, c}); err != nil {
		_ = c.Close()
		return false
	}
	_, _ = c.Discard(bytes.Index(b, []byte("\r\n\r\n")) + 4)
	return true
}

// next cuts the next frame off and unmasks it in place; its payload is valid until
// more is read.
func (s *server) next(c gnet.Conn) (op ws.OpCode, payload []byte, ok bool) {
	b, _ := c.Peek(-1)
	s.in.Reset(b)
	h, err := ws.ReadHeader(&s.in)
	if err != nil || int64(s.in.Len()) < h.Length {
		return 0, nil, false
	}
	start := len(b) - s.in.Len()
	end := start + int(h.Length)
	payload = b[start:end]
	ws.Cipher(payload, h.Mask, 0)
	_, _ = c.Discard(end)
	return h.OpCode, payload, true
}

func (s *server) answer(c gnet.Conn, op ws.OpCode, payload []byte) error {
	if op == ws.OpPing {
		return send(c, ws.NewPongFrame(payload))
	}
	switch kind, text := undertest.Ask(payload); kind {
	case undertest.Broadcast:
		return s.broadcast(text)
	case undertest.Echo:
		return send(c, ws.NewTextFrame(text))
	}
	return nil
}

func send(c gnet.Conn, f ws.Frame) error {
	frame, err := ws.CompileFrame(f)
	if err == nil {
		_, err = c.Write(frame)
	}
	return err
}

func (s *server) broadcast(text []byte) error {
	frame, err := ws.CompileFrame(ws.NewTextFrame(text))
	if err != nil {
		return err
	}
	s.room.Each(func(c gnet.Conn) { _, _ = c.Write(frame) }) // gnet closes what fails
	return nil
}
