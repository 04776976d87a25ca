package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// The paths of Engine.IO 4.
const (
	polling   = "/socket.io/?EIO=4&transport=polling"
	webSocket = "/socket.io/?EIO=4&transport=websocket"
)

// wirePoller is a Socket.IO client over polling that shows its bytes. It needs no Node.
type wirePoller struct {
	t       *testing.T
	url     string   // with its session id
	packets []string // received and not looked at yet
}

// dialPolling connects to the main namespace.
func dialPolling(t *testing.T, url string) *wirePoller {
	t.Helper()
	open := get(t, url+polling)
	open.want(t, 200, "0{")
	p := &wirePoller{t: t, url: url + polling + "&sid=" + sessionID(t, open.body)}
	p.post("40")
	p.expect("40{")
	return p
}

// sessionID reads the open packet.
func sessionID(t *testing.T, packet string) string {
	t.Helper()
	var o struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(packet, "0")), &o); err != nil {
		t.Fatalf("open packet %q: %v", packet, err)
	}
	return o.SID
}

func (p *wirePoller) post(packet string) {
	p.t.Helper()
	ask(p.t, http.MethodPost, p.url, packet).want(p.t, 200, "ok")
}

func (p *wirePoller) emit(event, text string) {
	p.t.Helper()
	p.post(eventPacket(p.t, event, text))
}

// expect polls until a packet begins with the text.
func (p *wirePoller) expect(text string) {
	p.t.Helper()
	eventually(p.t, func() error {
		for len(p.packets) > 0 {
			packet := p.packets[0]
			p.packets = p.packets[1:]
			if strings.HasPrefix(packet, text) {
				return nil
			}
		}
		a := get(p.t, p.url)
		a.want(p.t, 200, "")
		p.packets = strings.Split(a.body, "\x1e")
		return errors.New("no packet " + text)
	})
}

// wireSocket is a Socket.IO client over WebSocket that shows its bytes.
type wireSocket struct {
	t    *testing.T
	id   string // of the socket
	conn net.Conn
	io.ReadWriter
}

// dialWebSocket connects to the main namespace.
func dialWebSocket(t *testing.T, url string) *wireSocket {
	t.Helper()
	s := openWebSocket(t, url)
	s.send("40")
	connect := s.receive("40{")
	for ; !strings.HasPrefix(connect, "40{"); connect = s.receive("40{") {
	}
	s.id = sessionID(t, strings.TrimPrefix(connect, "4"))
	return s
}

// openWebSocket connects to no namespace.
func openWebSocket(t *testing.T, url string) *wireSocket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, early, _, err := ws.Dial(ctx, "ws"+strings.TrimPrefix(url, "http")+webSocket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	s := &wireSocket{t: t, conn: conn, ReadWriter: conn}
	if early != nil { // what came right behind the handshake
		s.ReadWriter = struct {
			io.Reader
			io.Writer
		}{early, conn}
	}
	s.expect("0{")
	return s
}

func (s *wireSocket) send(packet string) {
	s.t.Helper()
	if err := wsutil.WriteClientText(s.conn, []byte(packet)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *wireSocket) emit(event, text string) {
	s.t.Helper()
	s.send(eventPacket(s.t, event, text))
}

// expect reads until a packet begins with the text.
func (s *wireSocket) expect(text string) {
	s.t.Helper()
	for !strings.HasPrefix(s.receive(text), text) {
	}
}

// receive returns the next packet, whatever it is; text is what is hoped for.
func (s *wireSocket) receive(text string) string {
	s.t.Helper()
	packet, err := wsutil.ReadServerText(s)
	if err != nil {
		s.t.Fatalf("waiting for %s: %v", text, err)
	}
	return string(packet)
}

// close says goodbye as WebSocket does (RFC 6455, 7.1.2).
func (s *wireSocket) close() {
	s.t.Helper()
	body := ws.NewCloseFrameBody(ws.StatusNormalClosure, "")
	if err := ws.WriteFrame(s.conn, ws.MaskFrame(ws.NewCloseFrame(body))); err != nil {
		s.t.Fatal(err)
	}
}

func eventPacket(t *testing.T, event, text string) string {
	t.Helper()
	args, err := json.Marshal([]string{event, text})
	if err != nil {
		t.Fatal(err)
	}
	return "42" + string(args)
}

// requireCleanClose reads up to the server's close frame and answers it.
func requireCleanClose(t *testing.T, s *wireSocket) {
	t.Helper()
	for {
		h, err := ws.ReadHeader(s)
		if err != nil {
			t.Fatalf("the connection ended without a close frame: %v", err)
		}
		if _, err := io.CopyN(io.Discard, s, h.Length); err != nil {
			t.Fatal(err)
		}
		if h.OpCode == ws.OpClose {
			s.close()
			return
		}
	}
}

// raw sends bytes and waits until the program has closed the connection.
func raw(t *testing.T, p *process, bytes string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, bytes); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("it kept the connection of whoever sent %q", bytes)
	}
}
