package socketio_test

import (
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// FuzzPackets sends the lines of its input as packets of one connection (a line
// that begins with "b:" as a binary one). Whatever they are, another client's
// socket lives on, handlers are balanced and nothing of the connection is left.
//
// Run it with -fuzzminimizetime=1x: goroutines make its coverage vary, which the
// fuzzer would take for something to minimize.
func FuzzPackets(f *testing.F) {
	io := socketio.New(quiet(socketio.Options{OnError: func(ctxt, *socketio.Socket, error) {}}))
	a := io.Of("/a")
	balance := make(chan int, 1)
	balance <- 0
	count := func(d int) {
		n := <-balance
		balance <- n + d
	}
	for _, n := range []*socketio.Namespace{io.Of("/"), a} {
		n.OnConnect(func(ctxt, *socketio.Socket) error { count(1); return nil })
		n.OnDisconnect(func(ctxt, *socketio.Socket, socketio.Reason) { count(-1) })
		socketio.On(n, "echo", func(_ ctxt, s *socketio.Socket, v socketio.Args) error { return s.Emit("echo", v) })
		socketio.OnAck(n, "ack", func(_ ctxt, s *socketio.Socket, v any) (any, error) { return v, s.Join("r") })
	}
	a.Use(func(_ ctxt, s *socketio.Socket) error { return s.Join("r") })
	addr := start(f, io)
	for _, seed := range []string{
		"40\n42[\"echo\",1]\n41", "40/a\n42/a,7[\"ack\",{}]", "40\n451-[\"echo\",{\"_placeholder\":true,\"num\":0}]\nb:x",
		"40\n40", "42[]", "40\n430[]\n461-0[{\"_placeholder\":true,\"num\":0}]\nb:",
	} {
		f.Add(seed)
	}
	healthy, _ := join(f, addr)
	f.Fuzz(func(t *testing.T, input string) {
		healthy.TB = t
		p := dial(t, addr)
		for line := range strings.SplitSeq(input, "\n") {
			op := ws.OpText
			rest, binary := strings.CutPrefix(line, "b:")
			if binary {
				op, line = ws.OpBinary, rest
			}
			if wsutil.WriteClientMessage(p.conn, op, []byte(line)) != nil {
				break
			}
		}
		_ = p.conn.Close()
		healthy.send(`42["echo","alive"]`)
		healthy.expect(`42["echo","alive"]`)
		eventually(t, "the connection gone", func() bool { return io.Stats().Engine.WebSocket == 1 })
		eventually(t, "its handlers done", func() bool {
			n := <-balance
			balance <- n
			st := io.Stats()
			return n == 1 && st.Sockets["/"] == 1 && st.Sockets["/a"] == 0
		})
	})
}
