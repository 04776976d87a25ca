package clienttest_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

type userKey struct{}

// guarded is a house with everything on that has a say in requests, as in a typical Node
// server: allowRequest, a session middleware, a name per session, a cookie, headers.
type guarded struct {
	*house
	mu       sync.Mutex
	refused  []socketio.ConnectionError
	requests []string
}

func openGuarded(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{}
	server := socketio.New(socketio.Options{
		Logger:        slog.New(slog.DiscardHandler),
		AllowEIO3:     true,
		Cookie:        &socketio.Cookie{Name: "node"},
		InitialPacket: `2["early"]`, // an event, which clients keep until they are connected
		AllowRequest: func(_ context.Context, r *http.Request) error {
			if r.Header.Get("X-Token") != "good" && r.URL.Query().Get("token") != "good" {
				return &socketio.RequestError{Message: "no token"}
			}
			return nil
		},
	})
	server.Engine().Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("ban") == "yes" {
				http.Error(w, "banned", http.StatusForbidden)
				return
			}
			g.mu.Lock()
			g.requests = append(g.requests, r.Method)
			g.mu.Unlock()
			w.Header().Set("X-Served-By", "test")
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, "user of "+r.URL.Query().Get("token"))))
		})
	})
	server.Engine().OnConnectionError(func(e socketio.ConnectionError) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.refused = append(g.refused, e)
	})
	server.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		user, _ := s.Handshake().Value(userKey{}).(string)
		return s.Emit("you", user)
	})
	furnish(server.Of("/"))
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	g.house = &house{url: "http://" + server.Addr().String(), server: server, served: make(chan error, 1)}
	go func() { g.served <- server.Serve(context.Background()) }()
	t.Cleanup(func() { g.shut(t) })
	return g
}

// The official client is let in and served through a middleware, an allowRequest and the
// rest, over every transport, and cannot tell the difference.
func TestClientsThroughHooks(t *testing.T) {
	driver := clienttest.Start(t)
	g := openGuarded(t)
	for _, version := range clienttest.Versions {
		for _, transport := range transports {
			t.Run(version+"/"+transport.name, func(t *testing.T) {
				j := &journey{T: t, house: g.house, driver: driver, way: way{version: version, transports: transport.names}}
				c := j.settled(func(o *clienttest.ClientOptions) { o.Query = map[string]string{"token": "good"} })
				var user string
				if err := json.Unmarshal(c.Wait("you", 1)[0][0], &user); err != nil || user != "user of good" {
					t.Errorf("user %q, %v", user, err)
				}
				if got := c.EmitAck("mirror", "a", []byte{1, 2}); len(got) != 2 {
					t.Errorf("mirror: %s", got)
				}
				if n := c.Count("early"); n != 1 {
					t.Errorf("the initial packet became %d events", n)
				}
			})
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.refused {
		t.Errorf("refused: %+v", e)
	}
	if !slices.Contains(g.requests, "POST") {
		t.Errorf("the middleware saw %v", g.requests)
	}
}

func TestClientsThatAreRefusedByHooks(t *testing.T) {
	driver := clienttest.Start(t)
	g := openGuarded(t)
	for _, transport := range transports {
		t.Run(transport.name, func(t *testing.T) {
			for query, message := range map[string]string{"token": "no token", "ban": ""} {
				o := clienttest.ClientOptions{URL: g.url, Transports: transport.names, Query: map[string]string{query: "yes"}}
				_, refusal := driver.TryConnect(t, o)
				if refusal == nil || !strings.HasSuffix(refusal.Message, " error") { // "xhr poll error", "websocket error"
					t.Fatalf("%s: %v", query, refusal)
				}
				g.mu.Lock()
				if message != "" && (len(g.refused) != 1 || g.refused[0].Code != 4 || g.refused[0].Context["message"] != message) {
					t.Errorf("%s: refused %+v", query, g.refused)
				}
				g.refused = nil
				g.mu.Unlock()
			}
		})
	}
	// a header does as well, where the client can send one
	driver.Connect(t, clienttest.ClientOptions{URL: g.url, Headers: map[string]string{"X-Token": "good"}})
}
