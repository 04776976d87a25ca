package redisadapter_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// wanderer is a client that comes back as a stock one does, to whichever server. It
// understands text only.
type wanderer struct {
	t testing.TB

	mu               sync.Mutex
	moved            sync.Cond
	line             *wandererLine
	sid, pid, offset string
	recovered        bool
	got              []string // events, without their offsets
}

// wandererLine is one of its connections.
type wandererLine struct {
	w     *wanderer
	inner *engine.Inner
	in    bool // let in; guarded by w.mu
}

func newWanderer(t testing.TB) *wanderer {
	w := &wanderer{t: t}
	w.moved.L = &w.mu
	return w
}

// enter connects to a server, and reports whether it has its socket again.
func (w *wanderer) enter(io *socketio.Server) (recovered bool) {
	w.t.Helper()
	l := &wandererLine{w: w}
	req := &http.Request{Method: http.MethodGet, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "example.com", RequestURI: "/socket.io/?EIO=4&transport=websocket"}
	inner, err := io.OpenInner(req, socketio.Peer{Addr: netip.MustParseAddrPort("192.0.2.1:1234")}, l)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	l.inner, w.line = inner, l
	auth := "{}"
	if w.pid != "" {
		auth = fmt.Sprintf(`{"pid":%q,"offset":%q}`, w.pid, w.offset)
	}
	w.mu.Unlock()
	inner.Text([]byte("0" + auth))
	w.until("being let in", func() bool { return l.in })
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.recovered
}

// leave loses the connection.
func (w *wanderer) leave() {
	w.mu.Lock()
	l := w.line
	w.line = nil
	w.mu.Unlock()
	if l != nil {
		l.inner.Close()
	}
}

// until waits for a state.
func (w *wanderer) until(what string, is func() bool) {
	w.t.Helper()
	late := false
	timer := time.AfterFunc(patience, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		late = true
		w.moved.Broadcast()
	})
	defer timer.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for !is() {
		if late {
			w.t.Fatalf("it never came: %s; got %d: %.2000q", what, len(w.got), w.got)
		}
		w.moved.Wait()
	}
}

// expect wants exactly these events by now.
func (w *wanderer) expect(want ...string) {
	w.t.Helper()
	w.until(fmt.Sprint(len(want), " events"), func() bool { return len(w.got) >= len(want) })
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.got, want) {
		w.t.Fatalf("got %.2000q, want %.2000q", w.got, want)
	}
}

// Text implements what OpenInner wants.
func (l *wandererLine) Text(data []byte) {
	w := l.w
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.moved.Broadcast()
	switch text := string(data); {
	case w.line != l && w.line != nil:
	case strings.HasPrefix(text, "0{"):
		var hello struct{ SID, PID string }
		if err := json.Unmarshal(data[1:], &hello); err != nil {
			w.t.Errorf("%q: %v", data, err)
		}
		w.recovered = hello.PID == w.pid && w.pid != ""
		if !w.recovered {
			w.offset = ""
		}
		w.sid, w.pid, l.in = hello.SID, hello.PID, true
	case strings.HasPrefix(text, "2["):
		var list []json.RawMessage
		if err := json.Unmarshal(data[1:], &list); err != nil {
			w.t.Errorf("%q: %v", data, err)
			return
		}
		if w.pid != "" {
			_ = json.Unmarshal(list[len(list)-1], &w.offset)
			list = list[:len(list)-1]
		}
		event, _ := json.Marshal(list)
		w.got = append(w.got, string(event))
	default:
		w.t.Errorf("unexpected %q", text)
	}
}

// Binary implements what OpenInner wants.
func (l *wandererLine) Binary(data []byte) { l.w.t.Errorf("unexpected %x", data) }

// Closed implements what OpenInner wants.
func (l *wandererLine) Closed(engine.Reason) {}

// uid is what servers' channels have in place of a room.
var uid = regexp.MustCompile(`^[0-9a-f]{16}#$`)
