package forward_test

import (
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

func (l *line) say(text string) {
	l.t.Helper()
	if err := wsutil.WriteClientText(l, []byte(text)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *line) expect(want string) {
	l.t.Helper()
	got, err := wsutil.ReadServerText(struct {
		*line
	}{l})
	if err != nil || string(got) != want {
		l.t.Fatalf("%.100q, %v; want %.100q", got, err, want)
	}
}

// Read reads behind the answer.
func (l *line) Read(b []byte) (int, error) { return l.br.Read(b) }

func TestAnUpgradeAtTheWrongServer(t *testing.T) {
	all := fleet(t, new(tunneltest.Bus), 2, socketio.Options{})
	sid := all[0].open()
	l := all[1].dial()
	// The probe comes right behind the request, which net/http then has read already.
	probe, err := ws.CompileFrame(ws.MaskFrameInPlace(ws.NewTextFrame([]byte("2probe"))))
	if err != nil {
		t.Fatal(err)
	}
	target := "/socket.io/?EIO=4&transport=websocket&sid=" + sid
	if _, err := l.Write([]byte("GET " + target + " HTTP/1.1\r\nHost: chat.example\r\n" + upgradeHeader + "\r\n\r\n" + string(probe))); err != nil {
		t.Fatal(err)
	}
	if a := l.read(); a.StatusCode != 101 || a.Header.Get("Sec-Websocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("%s %v", a.Status, a.Header)
	}
	l.expect("3probe")
	l.say("5")
	long := strings.Repeat("long ", 100_000)
	l.say(`42["echo","` + long + `"]`)
	l.expect(`42["echoed","` + long + `"]`)
	if err := wsutil.WriteClientMessage(l, ws.OpClose, ws.NewCloseFrameBody(1000, "")); err != nil {
		t.Fatal(err)
	}
	if h, err := ws.ReadHeader(l); err != nil || h.OpCode != ws.OpClose {
		t.Fatalf("%+v, %v", h, err)
	}
	until(t, "the owner has closed the session", func() bool { return len(all[0].server.Stats().Sockets) == 0 || all[0].server.Stats().Sockets["/"] == 0 })
	until(t, "no stream is left", func() bool { return all[0].forward.Stats().Streams+all[1].forward.Stats().Streams <= 2 })
}

func TestAClientThatHangsUpAtTheWrongServer(t *testing.T) {
	all := fleet(t, new(tunneltest.Bus), 2, socketio.Options{})
	for _, ws := range []bool{true, false} {
		sid := all[0].open()
		l := all[1].dial()
		if ws {
			if a := l.do("GET", "/socket.io/?EIO=4&transport=websocket&sid="+sid, "", upgradeHeader); a.StatusCode != 101 {
				t.Fatal(a.Status)
			}
			l.say("2probe")
			l.expect("3probe")
			l.say("5")
			l.say(`42["echo",1]`)
			l.expect(`42["echoed",1]`)
		} else {
			before := all[0].server.Stats().Engine.Requests
			l.ask("GET", polling+"&sid="+sid, "")
			until(t, "the poll is held", func() bool { return all[0].server.Stats().Engine.Requests > before })
		}
		_ = l.Close()
		until(t, "the owner has noticed", func() bool { return all[0].server.Stats().Sockets["/"] == 0 })
	}
}
