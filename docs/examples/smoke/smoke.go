// Package smoke has the official client try the examples.
package smoke

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// Test serves the routes, plain and over HTTPS with HTTP/2, and requires that they have
// a page and a chat: over polling, over WebSocket, and over the one after the other.
func Test(t *testing.T, chat func() *socketio.Server, routes func(*socketio.Server) http.Handler) {
	t.Helper()
	driver := clienttest.Start(t)
	for _, secure := range []bool{false, true} {
		server := chat()
		s := httptest.NewUnstartedServer(routes(server))
		if secure {
			s.EnableHTTP2 = true
			s.StartTLS()
		} else {
			s.Start()
		}
		for _, transports := range [][]string{clienttest.Polling, clienttest.WebSocket, clienttest.Upgrade} {
			try(t, driver, s.URL, transports)
		}
		page(t, s)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		cancel()
		s.Close()
	}
}

func try(t *testing.T, driver *clienttest.Driver, url string, transports []string) {
	t.Helper()
	o := clienttest.ClientOptions{URL: url, Transports: transports}
	a, b := driver.Connect(t, o), driver.Connect(t, o)
	if want := transports[len(transports)-1]; len(transports) > 1 && a.WaitUpgrade() != want {
		t.Errorf("%s: not over %s", url, want)
	}
	a.Emit("chatMessage", "hello")
	for _, c := range []*clienttest.Client{a, b} {
		if got := clienttest.Value[string](t, c.Wait("reply", 1)[0][0]); got != "hello" {
			t.Errorf("%s over %v: %q", url, transports, got)
		}
	}
	if got := a.EmitAck("echo", 1, "two"); len(got) != 2 || string(got[1]) != `"two"` {
		t.Errorf("%s over %v: echo %s", url, transports, got)
	}
	a.Disconnect()
	b.Disconnect()
}

func page(t *testing.T, s *httptest.Server) {
	t.Helper()
	r, err := s.Client().Get(s.URL + "/hello")
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = r.Body.Close() }()
	if b, err := io.ReadAll(r.Body); err != nil || string(b) != "hello" {
		t.Errorf("page: %q %v", b, err)
	}
}
