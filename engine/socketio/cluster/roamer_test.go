package cluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
)

// patience is never reached by a test that passes.
const patience = 20 * time.Second

// tb is testing.TB and rapid.T.
type tb interface {
	Helper()
	Errorf(string, ...any)
	Fatalf(string, ...any)
}

// roamer is a stock client that goes from server to server.
type roamer struct {
	tb
	nsp string

	mu          sync.Mutex
	line        *roamerLine
	changed     chan struct{} // closed when something has come
	got         []string      // events: the arrays without offset
	offset      string
	pid, sid    string
	in          bool
	recovered   bool
	refused     string
	disconnects int
}

// roamerLine is one connection. Its methods are called on the server's loop.
type roamerLine struct {
	r      *roamer
	inner  *engine.Inner
	binary *parser.Binary
}

func newRoamer(t tb) *roamer { return &roamer{tb: t, nsp: "/", changed: make(chan struct{})} }

// connect opens a connection to a server, and returns when the client is let in. It
// reports whether it has its socket again.
func (r *roamer) connect(io *socketio.Server) bool {
	r.Helper()
	for {
		r.dial(io)
		again := false
		r.wait("being let in", func() bool {
			again = r.line == nil // closed: another server has taken its socket, a moment ago
			return r.in || again
		})
		if !again {
			return r.recovered
		}
	}
}

// dial opens a connection without waiting.
func (r *roamer) dial(io *socketio.Server) {
	r.Helper()
	req := &http.Request{Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "example.com", RequestURI: "/socket.io/?EIO=4&transport=websocket"}
	l := &roamerLine{r: r}
	r.mu.Lock()
	r.line, r.in, r.recovered = l, false, false
	fields := map[string]string{}
	if r.pid != "" {
		fields["pid"] = r.pid
		if r.offset != "" {
			fields["offset"] = r.offset
		}
	}
	r.mu.Unlock()
	payload, _ := json.Marshal(fields)
	inner, err := io.OpenInner(req, socketio.Peer{Addr: netip.MustParseAddrPort("192.0.2.1:1234")}, l)
	if err != nil {
		r.Fatalf("connecting: %v", err)
		return
	}
	r.mu.Lock()
	l.inner = inner
	r.mu.Unlock()
	inner.Text(append(parser.AppendHeader(nil, parser.Connect, 0, r.nsp, 0, false), payload...))
}

// vanish has the client not get anything any more. The server is told of it, or finds
// out for itself.
func (r *roamer) vanish(told bool) {
	r.mu.Lock()
	l := r.line
	r.line, r.in = nil, false
	r.mu.Unlock()
	switch {
	case l == nil || l.inner == nil:
	case told:
		l.inner.Close()
	default:
		l.inner.Silence()
	}
}

func (r *roamer) wait(what string, cond func() bool) {
	r.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		r.mu.Lock()
		ok, changed := cond(), r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			r.mu.Lock()
			defer r.mu.Unlock()
			r.Fatalf("not within %v: %s; got %d events, at last %q", patience, what, len(r.got), r.got[max(0, len(r.got)-5):])
			return
		}
	}
}

// gets waits for so many events in all, and returns them.
func (r *roamer) gets(n int) []string {
	r.Helper()
	r.wait("events", func() bool { return len(r.got) >= n })
	return r.events()
}

func (r *roamer) events() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// expect waits until exactly these events have come, in all.
func (r *roamer) expect(want ...string) {
	r.Helper()
	if got := r.gets(len(want)); !slices.Equal(got, want) {
		r.Fatalf("got %q, want %q", got, want)
	}
}

func (l *roamerLine) Text(data []byte) {
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	p, err := parser.Decode(bytes.Clone(data), &parser.Limits{Attachments: parser.MaxAttachments, Depth: parser.MaxDepth, Namespace: 1 << 10})
	switch {
	case err != nil:
		l.r.Errorf("no packet: %q", data)
	case p.Type.Binary():
		l.binary = parser.NewBinary(p)
		l.binary.MaxBytes = 1 << 30
	default:
		l.take(&p, nil)
	}
}

func (l *roamerLine) Binary(data []byte) {
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	if complete, err := l.binary.Add(bytes.Clone(data)); err == nil && complete {
		p, attachments := l.binary.Packet()
		l.take(&p, attachments)
	}
}

func (l *roamerLine) Closed(engine.Reason) {
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	if l.r.line == l {
		l.r.line, l.r.in = nil, false
		l.r.disconnects++
		l.r.change()
	}
}

func (r *roamer) change() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// take takes a packet. Called with mu held.
func (l *roamerLine) take(p *parser.Packet, attachments [][]byte) {
	r := l.r
	if r.line != l {
		return // it vanished
	}
	switch p.Type {
	case parser.Connect:
		var answer struct{ SID, PID string }
		_ = json.Unmarshal(p.Data, &answer)
		r.recovered = r.pid != "" && r.pid == answer.PID
		r.sid, r.pid, r.in = answer.SID, answer.PID, true
	case parser.ConnectError:
		r.refused = string(p.Data)
	case parser.Disconnect:
		r.in = false
		r.disconnects++
	case parser.Event, parser.BinaryEvent:
		var list []json.RawMessage
		_ = json.Unmarshal(p.Data, &list)
		_ = json.Unmarshal(list[len(list)-1], &r.offset)
		b, _ := json.Marshal(list[:len(list)-1])
		r.got = append(r.got, string(b)+strings.Repeat("+", len(attachments)))
	}
	r.change()
}

// town is servers at one journal.
type town struct {
	tb
	journal *clustertest.Journal
	desks   []*clustertest.Desk
	servers []*socketio.Server
}

var recoveryOptions = socketio.Recovery{MaxDisconnectionDuration: 2 * time.Minute}

// newTown starts n servers.
func newTown(t tb, j *clustertest.Journal, n int, o cluster.TailOptions, byHand bool) *town {
	t.Helper()
	w := &town{tb: t, journal: j}
	for range n {
		w.open(o, byHand, socketio.Options{})
	}
	return w
}

// open starts one more server.
func (w *town) open(t cluster.TailOptions, byHand bool, o socketio.Options) *socketio.Server {
	w.Helper()
	d := w.journal.Open(t, byHand)
	r := recoveryOptions
	if o.ConnectionStateRecovery == nil {
		o.ConnectionStateRecovery = &r
	}
	o.Adapter = d.Adapter
	o.Logger = slog.New(slog.DiscardHandler)
	io := socketio.New(o)
	if err := io.StartInner(); err != nil {
		w.Fatalf("%v", err)
	}
	w.desks, w.servers = append(w.desks, d), append(w.servers, io)
	return io
}

// close ends everything.
func (w *town) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for i, io := range w.servers {
		if err := io.Shutdown(ctx); err != nil {
			w.Errorf("shutting down: %v", err)
		}
		w.desks[i].Close()
	}
}

// fail fails the test with all numbers there are.
func (w *town) fail(why string) {
	w.Helper()
	for i := range w.servers {
		w.Errorf("server %d: %+v\n%+v", i, w.desks[i].Tail.Stats(), w.servers[i].Stats().Recovery)
	}
	w.Fatalf("%s", why)
}

// socket waits for the socket of a client on a server.
func (w *town) socket(i int, id string) (s *socketio.Socket) {
	w.Helper()
	w.eventually("the socket is there", func() (ok bool) {
		s, ok = w.servers[i].Of("/").Socket(id)
		return ok
	})
	return s
}

// eventually is for what nobody is told of.
func (w *town) eventually(what string, cond func() bool) {
	w.Helper()
	for end := time.Now().Add(patience); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.Fatalf("not within %v: %s", patience, what)
			return
		}
	}
}

func ok(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}
