package socketio_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

type inContext struct{}

// What a middleware of the engine puts into the request's context is there for the
// namespace's middlewares, as in Node's socket.request.
func TestEngineMiddlewaresHandOnWhatTheyFound(t *testing.T) {
	t.Parallel()
	server := socketio.New(quiet(socketio.Options{}))
	server.Engine().Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx := context.WithValue(r.Context(), inContext{}, r.URL.Query().Get("user"))
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	})
	users := make(chan any, 10)
	server.Use(func(_ context.Context, s *socketio.Socket) error {
		users <- s.Handshake().Value(inContext{})
		return nil
	})
	addr := start(t, server)
	before := server.Engine().ClientsCount()
	q := dialPolling(t, addr)
	enter(q, "40", "40")
	if got := receive(t, users); got != "" {
		t.Errorf("user %q", got)
	}
	if n := server.Engine().ClientsCount() - before; n != 1 {
		t.Errorf("%d clients more", n)
	}
	l := dialLine(t, addr)
	l.ask("GET /socket.io/?EIO=4&transport=polling&user=ann HTTP/1.1\r\nHost: x\r\n\r\n")
	_, open := l.answer()
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	other := &poller{TB: t, addr: addr, sid: sid, get: l, post: dialLine(t, addr)}
	t.Cleanup(other.goodbye)
	enter(other, "40", "40")
	if got := receive(t, users); got != "ann" {
		t.Errorf("user %q", got)
	}
}

func TestEngineHooks(t *testing.T) {
	t.Parallel()
	server := socketio.New(quiet(socketio.Options{
		Cookie:     &socketio.Cookie{Name: "node", SameSite: http.SameSiteStrictMode, Secure: true},
		GenerateID: func(r *http.Request) (string, error) { return r.URL.Query().Get("name"), nil },
		AllowRequest: func(_ context.Context, r *http.Request) error {
			if r.URL.Query().Get("name") == "bad" {
				return &socketio.RequestError{Message: "go away"}
			}
			return nil
		},
	}))
	refused := make(chan socketio.ConnectionError, 10)
	server.Engine().OnInitialHeaders(func(h http.Header, _ *http.Request) { h.Set("X-First", "yes") })
	server.Engine().OnHeaders(func(h http.Header, _ *http.Request) { h.Set("X-Each", "yes") })
	server.Engine().OnConnectionError(func(e socketio.ConnectionError) { refused <- e })
	addr := start(t, server)
	r, body := fetch(t, addr, "GET", "/socket.io/?EIO=4&transport=polling&name=ann")
	q := &poller{TB: t, addr: addr, sid: "ann", get: dialLine(t, addr), post: dialLine(t, addr)}
	t.Cleanup(q.goodbye)
	if !strings.HasPrefix(body, `0{"sid":"ann",`) || r.Header.Get("X-First") != "yes" || r.Header.Get("X-Each") != "yes" {
		t.Errorf("%s %v", body, r.Header)
	}
	if got := r.Header.Get("Set-Cookie"); got != "node=ann; Path=/; HttpOnly; Secure; SameSite=Strict" {
		t.Errorf("cookie %q", got)
	}
	enter(q, "40", "40")
	r, body = fetch(t, addr, "GET", "/socket.io/?EIO=4&transport=polling&name=bad")
	e := receive(t, refused)
	var why *socketio.RequestError
	if r.StatusCode != 403 || body != `{"code":4,"message":"go away"}` || e.Code != 4 || !errors.As(&e, &why) || why.Message != "go away" {
		t.Errorf("%s %s, %+v", r.Status, body, e)
	}
}
