package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/api"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// patience is how long anything may take that is expected to happen.
const patience = 30 * time.Second

const key, otherKey = "the-first-key-of-tests", "the-second-key-of-tests"

// stage is a Socket.IO server with the API in front, both on ports of their own.
type stage struct {
	t      testing.TB
	server *socketio.Server
	api    *api.Server
	url    string // of Socket.IO
	at     string // of the API
	client *http.Client
}

// perform starts both until the test ends. prepare, where there is one, is called before
// anybody can connect.
func perform(t testing.TB, o api.Options, prepare func(io *socketio.Server)) *stage {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	server := socketio.New(socketio.Options{Logger: quiet, KeepHandshake: true})
	if prepare != nil {
		prepare(server)
	}
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if o.Logger == nil {
		o.Logger = quiet
	}
	o.Server, o.Keys = server, []string{key, otherKey}
	s := &stage{t: t, server: server, api: api.New(o), url: "http://" + server.Addr().String(), client: &http.Client{Timeout: patience}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.at = "http://" + l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(ctx) }()
	go func() { ended <- s.api.Serve(ctx, l) }()
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return s
}

// reply is an answer of the API with its body.
type reply struct {
	*http.Response
	body string
}

// ask makes a request with the key, and with headers given as name, value, name, value.
func (s *stage) ask(method, path, body string, header ...string) reply {
	s.t.Helper()
	r, err := http.NewRequest(method, s.at+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("X-API-Key", key)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			r.Header.Del(header[i])
		}
	}
	got, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	b, err := io.ReadAll(got.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{got, string(b)}
}

// post asks, and fails the test unless the status is 200 and the answer, as JSON, what is
// wanted; an empty want takes any.
func (s *stage) post(path, body, want string) reply {
	s.t.Helper()
	return s.same(s.ask(http.MethodPost, path, body), want)
}

func (s *stage) get(path, want string) reply {
	s.t.Helper()
	return s.same(s.ask(http.MethodGet, path, ""), want)
}

func (s *stage) same(a reply, want string) reply {
	s.t.Helper()
	if a.StatusCode != http.StatusOK {
		s.t.Fatalf("%s %s: %s %s", a.Request.Method, a.Request.URL, a.Status, a.body)
	}
	if want != "" && a.body != want+"\n" {
		s.t.Fatalf("%s:\nhave %swant %s", a.Request.URL, a.body, want)
	}
	return a
}

// refused fails the test unless the answer has the status, the code and the text in its message.
func (a reply) refused(t testing.TB, status int, code, text string) {
	t.Helper()
	var e struct {
		Error struct{ Code, Message string }
	}
	d := json.NewDecoder(strings.NewReader(a.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Errorf("%s: %v in %q", a.Status, err, a.body)
		return
	}
	if a.StatusCode != status || e.Error.Code != code || !strings.Contains(e.Error.Message, text) {
		t.Errorf("have %d %s, want %d %s %q", a.StatusCode, a.body, status, code, text)
	}
}

// eventually asks until the answer is nil.
func eventually(t testing.TB, ask func() error) {
	t.Helper()
	ticker, timer := time.NewTicker(2*time.Millisecond), time.NewTimer(patience)
	defer ticker.Stop()
	defer timer.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-timer.C:
			t.Fatalf("after %v: %v", patience, err)
		}
	}
}

// notebook is a Chat in memory.
type notebook struct {
	mu    sync.Mutex
	lines []history.Message
	state string
}

func (n *notebook) Publish(_ context.Context, m history.Message) (history.Message, bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if m.Name == "nobody" {
		return m, false, &api.Problem{Status: http.StatusConflict, Code: "name_taken", Message: "name: it is taken"}
	}
	m.ID = fmt.Sprintf("id%03d", len(n.lines))
	m.At = time.Unix(1_000_000_000, 0).UTC()
	n.lines = append(n.lines, m)
	return m, n.state == "healthy", nil
}

func (n *notebook) of(room string, keep func(id string) bool) (all []history.Message) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range n.lines {
		if m.Room == room && keep(m.ID) {
			all = append(all, m)
		}
	}
	return all
}

func (n *notebook) Before(_ context.Context, room, before string, limit int) ([]history.Message, bool, error) {
	all := n.of(room, func(id string) bool { return before == "" || id < before })
	cut := max(0, len(all)-limit)
	return all[cut:], cut > 0, nil
}

func (n *notebook) After(_ context.Context, room, after string, limit int) ([]history.Message, bool, error) {
	all := n.of(room, func(id string) bool { return id > after })
	return all[:min(limit, len(all))], len(all) > limit, nil
}

func (n *notebook) State() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state
}

// hangUp asks, and gives up when ctx is done.
func (s *stage) hangUp(ctx context.Context, path, body, idempotency string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.at+path, strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return
	}
	r.Header.Set("X-API-Key", key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", idempotency)
	got, err := s.client.Do(r)
	if err == nil {
		_ = got.Body.Close()
		s.t.Error("it was answered")
	}
}
