package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/api"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"go.uber.org/goleak"
)

func TestBadRequestsAreToldWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := perform(t, api.Options{Chat: &notebook{state: "healthy"}, MaxBatch: 3, MaxNames: 3, MaxPage: 50}, nil)
	long := strings.Repeat("r", 257)
	deep := strings.Repeat("[", 100) + strings.Repeat("]", 100)
	for _, tt := range []struct{ path, body, field string }{
		{"/v1/emit", ``, "no body"},
		{"/v1/emit", `{`, "unexpected end of JSON input, at byte 1"},
		{"/v1/emit", `{"event":"a"} x`, "invalid character 'x' after top-level value, at byte 15"},
		{"/v1/emit", `{"event":"a"}{"event":"a"}`, "not JSON"},
		{"/v1/emit", `["a"]`, "want a JSON object"},
		{"/v1/emit", `null`, "want a JSON object"},
		{"/v1/emit", "{\"event\":\"\xff\"}", "UTF-8"},
		{"/v1/emit", `{}`, "event: missing"},
		{"/v1/emit", `{"event":""}`, "event: missing"},
		{"/v1/emit", `{"event":1}`, "event: want a string"},
		{"/v1/emit", `{"event":null}`, "event is null"},
		{"/v1/emit", `{"Event":"a"}`, `unknown field "Event"`},
		{"/v1/emit", `{"event":"a","argz":[]}`, `unknown field "argz"`},
		{"/v1/emit", `{"event":"a","":[]}`, `unknown field ""`},
		{"/v1/emit", `{"event":"a","event":"b"}`, `field "event" stands there twice`},
		{"/v1/emit", `{"event":"a","\u0065vent":"b"}`, `field "event" stands there twice`},
		{"/v1/emit", `{"event":"a","args":{}}`, "args: want an array"},
		{"/v1/emit", `{"event":"a","args":[` + deep + `]}`, "args: "},
		{"/v1/emit", `{"event":"a","args":[{"$binary":"AA=="},{"_placeholder":true,"num":0}]}`, "args: "},
		{"/v1/emit", `{"event":"a","args":[{"$binary":"AA"}]}`, "args: $binary: want base64"},
		{"/v1/emit", `{"event":"a","args":[` + strings.Repeat(`{"$binary":""},`, 10) + `{"$binary":""}]}`, "args: "},
		{"/v1/emit", `{"event":"a","rooms":"r"}`, "rooms: want an array of strings"},
		{"/v1/emit", `{"event":"a","rooms":[1]}`, "rooms: want an array of strings"},
		{"/v1/emit", `{"event":"a","rooms":[]}`, "rooms is empty"},
		{"/v1/emit", `{"event":"a","rooms":[""]}`, "rooms: a room's name has 1 to 256 bytes"},
		{"/v1/emit", `{"event":"a","except":["` + long + `"]}`, "except: a room's name has 1 to 256 bytes"},
		{"/v1/emit", `{"event":"a","rooms":["1","2","3","4"]}`, "rooms: 4 names, the most are 3"},
		{"/v1/emit", `{"event":"a","volatile":1}`, "volatile: want true or false"},
		{"/v1/emit", `{"event":"a","ack_timeout_ms":-1}`, "ack_timeout_ms: want 1 to 30000"},
		{"/v1/emit", `{"event":"a","ack_timeout_ms":30001}`, "ack_timeout_ms: want 1 to 30000"},
		{"/v1/emit", `{"event":"a","ack_timeout_ms":1.5}`, "ack_timeout_ms: want an integer"},
		{"/v1/emit", `{"event":"a","namespace":"orders"}`, "namespace: "},
		{"/v1/broadcast", `{}`, "emits: missing"},
		{"/v1/broadcast", `{"emits":[]}`, "emits: missing"},
		{"/v1/broadcast", `{"emits":{}}`, "emits: want an array"},
		{"/v1/broadcast", `{"emits":[{},{},{},{}]}`, "emits: 4 of them, the most are 3"},
		{"/v1/join", `{"rooms":["a"]}`, "join: name the rooms"},
		{"/v1/join", `{"join":[]}`, "join: name the rooms"},
		{"/v1/join", `{"join":["` + long + `"]}`, "join: a room's name has"},
		{"/v1/join", `{"leave":["a"],"join":["b"]}`, `unknown field "leave"`},
		{"/v1/leave", `{}`, "leave: name the rooms"},
		{"/v1/disconnect", `{}`, "everybody"},
		{"/v1/disconnect", `{"rooms":[]}`, "everybody"},
		{"/v1/disconnect", `{"rooms":["a"],"everybody":true}`, "not both"},
		{"/v1/messages", `{"name":"n"}`, "text: missing"},
		{"/v1/messages", `{"text":" ","name":"n"}`, "text: missing"},
		{"/v1/messages", `{"text":"t"}`, "name: want 1 to 64"},
		{"/v1/messages", `{"text":"t","name":"` + strings.Repeat("ü", 65) + `"}`, "name: want 1 to 64"},
		{"/v1/messages", `{"name":"n","text":"` + strings.Repeat("ü", 4001) + `"}`, "text: the most are 4000"},
		{"/v1/messages", `{"name":"n","text":"t","room":"` + long + `"}`, "room: "},
		{"/v1/messages", `{"name":"n","text":"t","user":"` + long + `"}`, "user: "},
	} {
		if a := s.ask(http.MethodPost, tt.path, tt.body); a.StatusCode == 200 {
			t.Errorf("%s is accepted", tt.body)
		} else {
			a.refused(t, 400, "invalid_request", tt.field)
		}
	}
	for _, tt := range []struct{ query, field string }{
		{"/v1/sockets?limit=0x", "limit: want an integer"},
		{"/v1/sockets?limit=51", "limit: want 1 to 50"},
		{"/v1/sockets?limit=-1", "limit: want 1 to 50"},
		{"/v1/sockets?limit=1&limit=2", `parameter "limit" stands there twice`},
		{"/v1/sockets?rooms=", "rooms: a room's name has 1 to 256 bytes"},
		{"/v1/sockets?room=a", `unknown parameter "room"`},
		{"/v1/sockets?Rooms=a", `unknown parameter "Rooms"`},
		{"/v1/sockets?after=%ff", "after is not UTF-8"},
		{"/v1/sockets?namespace=orders", "namespace: "},
		{"/v1/info?x", `unknown parameter "x"`},
		{"/v1/presence?room=" + long, "a room's name has 1 to 256 bytes"},
		{"/v1/history?before=a&after=b", "before and after"},
	} {
		s.ask(http.MethodGet, tt.query, "").refused(t, 400, "invalid_request", tt.field)
	}
	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		s.ask(http.MethodPost, "/v1/emit", `{"event":"`+name+`"}`).refused(t, 400, "reserved_event", `"`+name+`" is a reserved event name`)
	}
	s.post("/v1/broadcast", `{"emits":[{"event":"a","ack_timeout_ms":1},{"event":"a","args":[{"$binary":1}]},7]}`,
		`{"results":[{"error":{"code":"invalid_request","message":"emits[0]: ack_timeout_ms: not in a batch; use /v1/emit"}},`+
			`{},{"error":{"code":"invalid_request","message":"emits[2]: want a JSON object"}}],"failed":2}`)
}

func TestRequestsAreRefusedWithTheRightStatus(t *testing.T) {
	t.Parallel()
	s := perform(t, api.Options{MaxBody: 100}, nil)
	const ok = `{"event":"a"}`
	s.ask("POST", "/v1/emit", ok, "X-API-Key", "").refused(t, 401, "unauthorized", "unauthorized")
	s.ask("POST", "/v1/emit", ok, "X-API-Key", key+"x").refused(t, 401, "unauthorized", "unauthorized")
	s.ask("POST", "/v1/emit", ok, "X-API-Key", "", "Authorization", "Bearer "+key[1:]).refused(t, 401, "unauthorized", "unauthorized")
	s.ask("POST", "/v1/emit", ok, "X-API-Key", "", "Authorization", "Basic "+key).refused(t, 401, "unauthorized", "unauthorized")
	s.ask("POST", "/v1/emit", ok, "X-API-Key", "", "Authorization", key).refused(t, 401, "unauthorized", "unauthorized")
	s.ask("GET", "/v1/nothing", "", "X-API-Key", "").refused(t, 401, "unauthorized", "unauthorized") // paths are not told apart
	if a := s.ask("GET", "/v1/info", "", "X-API-Key", ""); a.Header.Get("WWW-Authenticate") != "Bearer" {
		t.Error("no WWW-Authenticate")
	}
	for _, header := range [][]string{{"X-API-Key", otherKey}, {"X-API-Key", "", "Authorization", "Bearer " + key}, {"X-API-Key", "", "Authorization", "bearer  " + otherKey}} {
		s.same(s.ask("POST", "/v1/emit", ok, header...), "{}")
	}
	for _, path := range []string{"/", "/v1/nothing", "/v1/emit/", "/V1/emit", "//v1/emit"} {
		s.ask("POST", path, ok).refused(t, 404, "not_found", "openapi.yaml")
	}
	for path, allow := range map[string]string{"/v1/emit": "POST", "/v1/sockets": "GET, HEAD", "/openapi.yaml": "GET, HEAD"} {
		a := s.ask("PUT", path, ok)
		a.refused(t, 405, "method_not_allowed", "Allow")
		if a.Header.Get("Allow") != allow {
			t.Errorf("%s: Allow: %q, want %q", path, a.Header.Get("Allow"), allow)
		}
	}
	for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", ";"} {
		s.ask("POST", "/v1/emit", ok, "Content-Type", media).refused(t, 415, "unsupported_media_type", "application/json")
	}
	s.same(s.ask("POST", "/v1/emit", ok, "Content-Type", "Application/JSON; charset=utf-8"), "{}")
	s.ask("POST", "/v1/emit", `{"event":"`+strings.Repeat("x", 100)+`"}`).refused(t, 413, "too_large", "")
	s.ask("POST", "/v1/emit?event=a", ok).refused(t, 400, "invalid_request", "body")
	s.ask("GET", "/v1/history", "").refused(t, 501, "not_available", "no chat")
	s.ask("POST", "/v1/messages", `{"name":"n","text":"t"}`).refused(t, 501, "not_available", "no chat")
	if a := s.ask("HEAD", "/v1/info", ""); a.StatusCode != 200 || a.body != "" || a.ContentLength == 0 {
		t.Errorf("HEAD: %s %q", a.Status, a.body)
	}
	for have, want := range map[string]string{"abc-1_2.X": "abc-1_2.X", "a b": "", "": "", strings.Repeat("x", 65): ""} {
		got := s.ask("GET", "/v1/info", "", "X-Request-Id", have).Header.Get("X-Request-Id")
		if want == "" && (got == have || len(got) < 20) || want != "" && got != want {
			t.Errorf("request id %q becomes %q", have, got)
		}
	}
	if a := s.get("/v1/info", ""); a.Header.Get("Content-Type") != "application/json" || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", a.Header)
	}
}

func TestKeysAreReplaced(t *testing.T) {
	t.Parallel()
	s := perform(t, api.Options{}, nil)
	s.get("/v1/info", "")
	s.api.SetKeys([]string{otherKey})
	s.ask("GET", "/v1/info", "").refused(t, 401, "unauthorized", "")
	s.same(s.ask("GET", "/v1/info", "", "X-API-Key", otherKey), "")
	s.api.SetKeys(nil)
	s.ask("GET", "/v1/info", "", "X-API-Key", otherKey).refused(t, 401, "unauthorized", "")
	s.ask("GET", "/v1/info", "", "X-API-Key", "", "Authorization", "Bearer ").refused(t, 401, "unauthorized", "")
}

// blocking is a Chat whose Publish waits.
type blocking struct {
	notebook
	entered, release chan struct{}
}

func (b *blocking) Publish(context.Context, historyMessage) (m historyMessage, stored bool, err error) {
	b.entered <- struct{}{}
	<-b.release
	return m, true, nil
}

func TestWhatIsTooMuchAtATimeIsTurnedAway(t *testing.T) {
	t.Parallel()
	b := &blocking{entered: make(chan struct{}), release: make(chan struct{})}
	s := perform(t, api.Options{Chat: b, MaxConcurrent: 2}, nil)
	var under sync.WaitGroup
	for range 2 {
		under.Go(func() { s.ask("POST", "/v1/messages", `{"name":"n","text":"t"}`) })
		<-b.entered
	}
	a := s.ask("GET", "/v1/info", "")
	a.refused(t, 503, "busy", "too many requests")
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if st := s.api.Stats(); st.Active != 2 {
		t.Errorf("%d at work", st.Active)
	}
	close(b.release)
	under.Wait()
	s.get("/v1/info", "")
}

// panicky is a Chat that panics.
type panicky struct{ notebook }

func (*panicky) Publish(context.Context, historyMessage) (m historyMessage, stored bool, err error) {
	panic("oops")
}

func TestAPanicCostsOneRequest(t *testing.T) {
	t.Parallel()
	var log lockedBuffer
	s := perform(t, api.Options{Chat: new(panicky), Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, nil)
	a := s.ask("POST", "/v1/messages", `{"name":"n","text":"t"}`, "Idempotency-Key", "k", "X-Request-Id", "the-id")
	a.refused(t, 500, "internal", "log")
	if text := log.String(); !strings.Contains(text, "the-id") || !strings.Contains(text, "oops") || strings.Contains(text, key) {
		t.Error(text)
	}
	s.ask("POST", "/v1/messages", `{"name":"n","text":"t"}`, "Idempotency-Key", "k").refused(t, 500, "internal", "") // was not kept
	s.get("/v1/info", "")
}

func TestAServerThatStopsSaysSo(t *testing.T) {
	t.Parallel()
	server := socketio.New(socketio.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := perform(t, api.Options{}, nil)
	stopped := api.New(api.Options{Server: server, Keys: []string{key}, Logger: slog.New(slog.DiscardHandler)})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- stopped.Serve(ctx, l) }()
	s.at = "http://" + l.Addr().String()
	s.ask("POST", "/v1/emit", `{"event":"a"}`).refused(t, 503, "stopping", "another")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A client that says less than it announces, or nothing, is not waited for.
func TestServingEndsWithClientsThatDoNotFinish(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Run("clients", func(t *testing.T) {
		s := perform(t, api.Options{}, nil)
		for _, text := range []string{"", "POST /v1/emit HTTP/1.1\r\n", "POST /v1/emit HTTP/1.1\r\nHost: x\r\nX-API-Key: " + key + "\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"} {
			c, err := net.Dial("tcp", strings.TrimPrefix(s.at, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(c, text); err != nil {
				t.Fatal(err)
			}
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(c); err != nil {
				t.Error(err)
			}
			_ = c.Close()
		}
	})
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := perform(t, api.Options{Chat: &notebook{state: "healthy"}}, nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 20 {
				s.ask("POST", "/v1/emit", fmt.Sprintf(`{"event":"e","args":[%d],"count":true}`, j))
				s.ask("POST", "/v1/join", `{"join":["a"]}`, "Idempotency-Key", fmt.Sprintf("%d-%d", i/2, j))
				s.ask("POST", "/v1/messages", `{"name":"n","text":"t"}`)
				s.ask("GET", "/v1/rooms", "")
				s.api.SetKeys([]string{key, otherKey})
				s.api.Stats()
			}
		})
	}
	all.Wait()
	st := s.api.Stats()
	for _, e := range st.Endpoints {
		if e.Endpoint == "/v1/emit" && (e.Codes[200] != 160 || sum(e.Buckets[:]) != 160 || e.Seconds <= 0) {
			t.Errorf("%+v", e)
		}
	}
	if st.Active != 0 || st.Idempotent != 80 || st.Replayed != 80 {
		t.Errorf("%+v", st)
	}
}

func sum(list []uint64) (n uint64) {
	for _, x := range list {
		n += x
	}
	return n
}

// lockedBuffer collects a log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
