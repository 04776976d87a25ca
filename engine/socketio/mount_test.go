package socketio_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// mountIn serves h with an http.Server until the test ends, and shuts io down before that.
func mountIn(tb testing.TB, server *socketio.Server, h http.Handler, change ...func(*httptest.Server)) *httptest.Server {
	tb.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	for _, fn := range change {
		fn(s)
	}
	if s.TLS != nil {
		s.StartTLS()
	} else {
		s.Start()
	}
	tb.Cleanup(s.Close)
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			tb.Errorf("Shutdown: %v", err)
		}
	})
	return s
}

func echoServer(o socketio.Options) *socketio.Server {
	io := socketio.New(quiet(o))
	socketio.OnAck(io, "echo", func(_ ctxt, _ *socketio.Socket, a socketio.Args) (socketio.Args, error) { return a, nil })
	return io
}

// Nobody calls Listen or Start: the first request does.
func TestAMountedServerStartsWithItsFirstRequest(t *testing.T) {
	io := echoServer(socketio.Options{})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("page")) })
	s := mountIn(t, io, mux)
	addr := s.Listener.Addr().String()
	if io.Addr() != nil {
		t.Errorf("it listens on %v", io.Addr())
	}
	for i, c := range []wire{dial(t, addr), dialPolling(t, addr)} {
		enter(c, "40", "40")
		echoes(c, i)
	}
	q := dialPolling(t, addr)
	enter(q, "40", "40")
	echoes(q.upgrade(), 9)
	if r, err := http.Get(s.URL + "/x"); err != nil || r.StatusCode != 200 {
		t.Error(r, err)
	} else {
		_ = r.Body.Close()
	}
}

// What a client said reaches the handlers as it said it, whoever is in between.
func TestTheHandshakeOfAMountedServer(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		for _, transport := range []string{"polling", "websocket"} {
			t.Run(transport+map[bool]string{true: " over TLS"}[secure], func(t *testing.T) {
				io := echoServer(socketio.Options{})
				got := make(chan *socketio.Handshake, 1)
				io.OnConnect(func(_ ctxt, s *socketio.Socket) error { got <- s.Handshake(); return nil })
				s := mountIn(t, io, io, func(s *httptest.Server) {
					if secure {
						s.TLS = new(tls.Config)
					}
				})
				conn := dialServer(t, s)
				target := "/socket.io/?EIO=4&transport=" + transport + "&token=a%20b"
				const head = "X-Forwarded-For: 9.9.9.9\r\nForwarded: for=8.8.8.8\r\nCookie: a=b\r\n" +
					"X-Two: 1\r\nX-Two: 2\r\nOrigin: http://example.com\r\nUser-Agent: me\r\nTE: trailers\r\n"
				if transport == "websocket" {
					upgraded(t, conn, "&token=a%20b", head).send("40")
				} else {
					l := lineOver(t, conn)
					l.ask("GET " + target + " HTTP/1.1\r\nHost: example.com\r\n" + head + "Connection: keep-alive\r\n\r\n")
					_, body := l.answer()
					sid, _, _ := strings.Cut(strings.TrimPrefix(body, `0{"sid":"`), `"`)
					l.ask("POST /socket.io/?EIO=4&transport=polling&sid=" + sid + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n40")
					l.answer()
				}
				h := receive(t, got)
				if h.Address != "127.0.0.1" || h.Secure != secure || h.URL != target || !h.XDomain || h.Query.Get("token") != "a b" {
					t.Errorf("handshake %+v", h)
				}
				for name, want := range map[string]string{
					"Host": "example.com", "X-Forwarded-For": "9.9.9.9", "Forwarded": "for=8.8.8.8", "Cookie": "a=b",
					"X-Two": "1,2", "Origin": "http://example.com", "User-Agent": "me", "Te": "trailers",
				} {
					if v := strings.Join(h.Headers[name], ","); v != want {
						t.Errorf("%s is %q", name, v)
					}
				}
			})
		}
	}
}

// A middleware that knows the proxies in front has the word on who the client is.
func TestAMiddlewareMaySayWhoTheClientIs(t *testing.T) {
	t.Parallel()
	io := echoServer(socketio.Options{})
	got := make(chan string, 1)
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error { got <- s.Handshake().Address; return nil })
	for _, remote := range []string{"192.0.2.7", "192.0.2.7:99", "[2001:db8::1]:5"} {
		s := mountIn(t, io, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RemoteAddr = remote
			io.ServeHTTP(w, r)
		}))
		for _, c := range []wire{dial(t, s.Listener.Addr().String()), dialPolling(t, s.Listener.Addr().String())} {
			c.send("40")
			if got := receive(t, got); got != strings.Trim(strings.TrimSuffix(strings.TrimSuffix(remote, ":99"), ":5"), "[]") {
				t.Errorf("%s became %s", remote, got)
			}
		}
	}
}

// A mux may strip what it likes, as long as Options.Path is left somewhere.
func TestMountPathsAndOptionsPath(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"socket.io.js": &fstest.MapFile{Data: []byte("the client")}}
	for name, tt := range map[string]struct {
		path, url string
		mount     func(mux *http.ServeMux, h http.Handler)
	}{
		"as it is":     {"", "/socket.io/", func(m *http.ServeMux, h http.Handler) { m.Handle("/socket.io/", h) }},
		"another path": {"/live/", "/live/", func(m *http.ServeMux, h http.Handler) { m.Handle("/live/", h) }},
		"prefix stripped": {"", "/chat/socket.io/", func(m *http.ServeMux, h http.Handler) {
			m.Handle("/chat/", http.StripPrefix("/chat", h))
		}},
		"prefix kept": {"/chat/socket.io", "/chat/socket.io/", func(m *http.ServeMux, h http.Handler) { m.Handle("/chat/", h) }},
	} {
		t.Run(name, func(t *testing.T) {
			io := echoServer(socketio.Options{Path: tt.path, ClientFiles: files, Handler: http.NotFoundHandler()})
			mux := http.NewServeMux()
			tt.mount(mux, io)
			s := mountIn(t, io, mux)
			for target, want := range map[string]int{
				"?EIO=4&transport=polling": 200, "any/thing?EIO=4&transport=polling": 200, "socket.io.js": 200,
				"../elsewhere/": 404, "socket.io.js.map": 404,
			} {
				r, err := http.Get(s.URL + tt.url + target)
				if err != nil {
					t.Fatal(err)
				}
				_ = r.Body.Close()
				if r.StatusCode != want {
					t.Errorf("%s: %s", target, r.Status)
				}
			}
			l := dialLine(t, s.Listener.Addr().String())
			l.ask(upgradeRequest(tt.url, "", ""))
			if status, _ := l.br.ReadString('\n'); !strings.Contains(status, "101") {
				t.Errorf("upgrade: %q", status)
			}
		})
	}
}

func TestAfterShutdownAMountedServerIsUnavailable(t *testing.T) {
	io := echoServer(socketio.Options{})
	s := httptest.NewServer(io)
	defer s.Close()
	for _, started := range []bool{false, true} {
		if started {
			if r, err := http.Get(s.URL + "/socket.io/"); err != nil || r.StatusCode != 503 {
				t.Errorf("%v %v", r, err)
			} else {
				_ = r.Body.Close()
			}
			continue
		}
		if err := io.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := io.Start(); err != socketio.ErrServerClosed {
		t.Errorf("Start: %v", err)
	}
	if _, err := io.Dial(socketio.Peer{}); err != socketio.ErrServerClosed {
		t.Errorf("Dial: %v", err)
	}
}

// Shutdown tells all clients of a mounted server, held polls included, and leaves nothing.
func TestShutdownOfAMountedServer(t *testing.T) {
	for _, secure := range []bool{false, true} {
		io := echoServer(socketio.Options{})
		s := httptest.NewServer(io)
		if secure {
			s.Close()
			s = httptest.NewTLSServer(io)
		}
		ws := upgraded(t, dialServer(t, s), "")
		enter(ws, "40", "40")
		poll := lineOver(t, dialServer(t, s))
		poll.ask("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
		_, open := poll.answer()
		sid, _, _ := strings.Cut(strings.TrimPrefix(open, `0{"sid":"`), `"`)
		before := io.Stats().Engine.Requests
		poll.ask("GET /socket.io/?EIO=4&transport=polling&sid=" + sid + " HTTP/1.1\r\nHost: x\r\n\r\n")
		eventually(t, "the poll is held", func() bool { return io.Stats().Engine.Requests > before })
		done := make(chan error, 1)
		go func() { done <- io.Shutdown(context.Background()) }()
		if _, body := poll.answer(); body != "1" {
			t.Errorf("poll: %q", body)
		}
		if rest := ws.rest(); len(rest) > 0 {
			t.Errorf("WebSocket: %q", rest)
		}
		_ = ws.conn.Close()
		if err := receive(t, done); err != nil {
			t.Error(err)
		}
		if n := io.Stats().Engine.Connections; n != 0 {
			t.Errorf("%d connections left", n)
		}
		s.Close()
	}
}

// A WebSocket over plain TCP leaves no goroutine behind: net/http's are gone, and ours
// never were.
func TestMountedWebSocketsHaveNoGoroutines(t *testing.T) {
	io := echoServer(socketio.Options{})
	s := mountIn(t, io, io)
	const n = 100
	var peers []*peer
	for range n {
		p := dial(t, s.Listener.Addr().String())
		enter(p, "40", "40")
		peers = append(peers, p)
	}
	eventually(t, "no goroutine belongs to a WebSocket", func() bool {
		all := make([]byte, 1<<22)
		stacks := string(all[:runtime.Stack(all, true)])
		return strings.Count(stacks, "net/http.(*conn).serve") == 0 && strings.Count(stacks, "engine.(*Server).enroll") == 0 &&
			strings.Count(stacks, "engine.(*Server).splice") == 0
	})
	for i, p := range peers {
		echoes(p, i)
	}
	if st := io.Stats().Engine; st.Connections != n || st.WebSocket != n {
		t.Errorf("%d connections, %d WebSockets", st.Connections, st.WebSocket)
	}
}

// dialServer connects to a test server, over TLS if that is its way.
func dialServer(tb testing.TB, s *httptest.Server) net.Conn {
	tb.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	if s.TLS != nil && len(s.TLS.Certificates) > 0 {
		conn = tls.Client(conn, &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"})
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return conn
}

func upgradeRequest(path, query, head string) string {
	return "GET " + path + "?EIO=4&transport=websocket" + query + " HTTP/1.1\r\nHost: example.com\r\n" + head +
		"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
}

// upgraded opens a WebSocket on a connection there is; head is further header lines.
func upgraded(tb testing.TB, conn net.Conn, query string, head ...string) *peer {
	tb.Helper()
	l := lineOver(tb, conn)
	l.ask(upgradeRequest("/socket.io/", query, strings.Join(head, "")))
	r, err := http.ReadResponse(l.br, nil)
	if err != nil || r.StatusCode != http.StatusSwitchingProtocols {
		tb.Fatalf("upgrade: %v %v", r, err)
	}
	p := &peer{TB: tb, conn: conn}
	p.rw = struct {
		io.Reader
		io.Writer
	}{l.br, conn}
	p.open = p.read()
	return p
}

func lineOver(tb testing.TB, conn net.Conn) *line {
	return &line{TB: tb, Conn: conn, br: bufio.NewReader(conn)}
}
