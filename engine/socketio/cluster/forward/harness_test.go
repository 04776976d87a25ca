package forward_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/forward"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
	"go.uber.org/goleak"
)

// TestMain requires that servers and forwarders end with their tests. gnet's global worker
// pool, which is never closed, is not ours.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"),
	)
}

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// node is one server of a fleet.
type node struct {
	t       testing.TB
	tag     string
	addr    string
	server  *socketio.Server
	forward *forward.Forwarder
}

// fleet starts servers with the tags a, b, … that know each other.
func fleet(t testing.TB, bus *tunneltest.Bus, n int, o socketio.Options) []*node {
	t.Helper()
	all := make([]*node, n)
	for i := range all {
		all[i] = start(t, bus, string(rune('a'+i)), o)
	}
	until(t, "all servers know each other", func() bool {
		for _, k := range all {
			if k.forward.Stats().Peers != n-1 {
				return false
			}
		}
		return true
	})
	return all
}

func start(t testing.TB, c tunnel.Carrier, tag string, o socketio.Options) *node {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	f, err := forward.New(c, forward.Options{Tag: tag, Logger: o.Logger})
	if err != nil {
		t.Fatal(err)
	}
	f.Equip(&o)
	k := &node{t: t, tag: tag, server: socketio.New(o), forward: f}
	socketio.On(k.server, "echo", func(_ context.Context, s *socketio.Socket, a socketio.Args) error { return s.Emit("echoed", a) })
	if err := k.server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	k.addr = k.server.Addr().String()
	if err := f.Attach(k.server); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- k.server.Serve(context.Background()) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := k.server.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return k
}

func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

const polling = "/socket.io/?EIO=4&transport=polling"

// answer is what came back, with its body read.
type answer struct {
	*http.Response
	body string
}

// line is a connection to a node.
type line struct {
	net.Conn
	t  testing.TB
	br *bufio.Reader
}

func (k *node) dial() *line {
	k.t.Helper()
	nc, err := net.Dial("tcp", k.addr)
	if err != nil {
		k.t.Fatal(err)
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	k.t.Cleanup(func() { _ = nc.Close() })
	return &line{nc, k.t, bufio.NewReader(nc)}
}

// ask sends a request, with further header lines.
func (l *line) ask(method, target, body string, header ...string) {
	l.t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: chat.example\r\n", method, target)
	for _, h := range header {
		b.WriteString(h + "\r\n")
	}
	if method == http.MethodPost {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	if _, err := l.Write(b.Bytes()); err != nil {
		l.t.Fatal(err)
	}
}

func (l *line) tryRead() (answer, error) {
	r, err := http.ReadResponse(l.br, nil)
	if err != nil {
		return answer{}, err
	}
	if r.StatusCode == http.StatusSwitchingProtocols {
		return answer{r, ""}, nil
	}
	b, err := io.ReadAll(r.Body)
	return answer{r, string(b)}, err
}

func (l *line) read() answer {
	l.t.Helper()
	a, err := l.tryRead()
	if err != nil {
		l.t.Fatal(err)
	}
	return a
}

func (l *line) do(method, target, body string, header ...string) answer {
	l.t.Helper()
	l.ask(method, target, body, header...)
	return l.read()
}

// open opens a polling session of Socket.IO at the node, and returns what follows "sid=".
func (k *node) open() string {
	k.t.Helper()
	l := k.dial()
	sid := sidOf(k.t, l.do("GET", polling, "").body)
	k.t.Cleanup(func() { // or Shutdown waits for the client's next poll
		if r, err := http.Post("http://"+k.addr+polling+"&sid="+sid, "text/plain", strings.NewReader("1")); err == nil {
			_ = r.Body.Close()
		}
		http.DefaultClient.CloseIdleConnections()
	})
	l.post(sid, "40")
	if a := l.poll(sid); !strings.HasPrefix(a.body, "40{") {
		k.t.Fatalf("connecting: %q", a.body)
	}
	return sid
}

func sidOf(t testing.TB, open string) string {
	t.Helper()
	var o struct{ SID string }
	if open == "" || open[0] != '0' {
		t.Fatalf("not an open packet: %.200q", open)
	}
	if err := json.Unmarshal([]byte(strings.Split(open[1:], "\x1e")[0]), &o); err != nil {
		t.Fatal(err)
	}
	return o.SID
}

func (l *line) poll(sid string) answer {
	l.t.Helper()
	return l.do("GET", polling+"&sid="+sid, "")
}

func (l *line) post(sid, body string) {
	l.t.Helper()
	if a := l.do("POST", polling+"&sid="+sid, body, "Content-Type: text/plain;charset=UTF-8"); a.StatusCode != 200 || a.body != "ok" {
		l.t.Fatalf("POST: %s %.200q", a.Status, a.body)
	}
}
