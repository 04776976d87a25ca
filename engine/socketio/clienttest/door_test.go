package clienttest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// door is how a house is entered.
type door string

const (
	ownDoor     door = ""
	mountedDoor door = "mounted in net-http"
	httpsDoor   door = "mounted over HTTPS"
	http2Door   door = "mounted over HTTP-2"
)

// mount serves the house with an http.Server of its own, whoever is at home, and returns its URL.
func (h *house) mount(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/socket.io/", func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 {
			h.http2.Add(1)
		}
		if server := h.home.Load(); server != nil {
			server.ServeHTTP(w, r)
		} else {
			http.Error(w, "nobody at home", http.StatusServiceUnavailable)
		}
	})
	if h.options.handler != nil {
		mux.Handle("/", h.options.handler)
	}
	s := httptest.NewUnstartedServer(mux)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	switch h.options.door {
	case mountedDoor:
		s.Start()
	case http2Door:
		s.EnableHTTP2 = true
		fallthrough
	default:
		s.StartTLS()
	}
	t.Cleanup(s.Close)
	return s.URL
}

// In a browser polling goes over HTTP/2 where the server offers it; WebSockets have a connection of their own.
func TestABrowserOverHTTP2(t *testing.T) {
	browser := clienttest.OpenBrowser(t)
	versions := make(chan string, 1000)
	house := openHouse(t, houseOptions{door: http2Door, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		versions <- r.Proto
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<script src="https://cdn.socket.io/4.8.0/socket.io.js"></script>`)
	})})
	handshakes := make(chan *socketio.Handshake, 1000)
	house.server.OnConnect(func(_ context.Context, s *socketio.Socket) error { handshakes <- s.Handshake(); return nil })
	page := browser.Open(house.url, clienttest.PageOptions{})
	if v := <-versions; v != "HTTP/2.0" {
		t.Fatalf("the page came over %s", v)
	}
	for _, transport := range transports {
		t.Run(transport.name, func(t *testing.T) {
			names, err := json.Marshal(transport.names)
			if err != nil {
				t.Fatal(err)
			}
			got := page.Evaluate(fmt.Sprintf(`new Promise((resolve, reject) => {
				const names = %s, socket = io({ forceNew: true, transports: names });
				const bytes = Uint8Array.from({ length: 100000 }, (_, i) => i);
				const echo = () => socket.emit("mirror", "😀 €", bytes.buffer, (text, b) => {
					const over = socket.io.engine.transport.name;
					socket.close();
					resolve([text, b.byteLength, new Uint8Array(b).join() === bytes.join(), over]);
				});
				socket.on("connect_error", reject).on("connect", () => {
					if (names.length > 1 && socket.io.engine.transport.name === "polling") socket.io.engine.once("upgrade", echo); else echo();
				});
			})`, names))
			if want := fmt.Sprintf(`["😀 €",100000,true,"%s"]`, transport.names[len(transport.names)-1]); string(got) != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if h := <-handshakes; !h.Secure || h.Address != "127.0.0.1" {
				t.Errorf("handshake %+v", h)
			}
		})
	}
	if house.http2.Load() < 5 { // two handshakes, and some polls and posts
		t.Errorf("%d requests over HTTP/2", house.http2.Load())
	}
	if n := house.server.Stats().Violations; n != 0 {
		t.Errorf("%d violations", n)
	}
	if faults := page.Faults(); len(faults) > 0 {
		t.Error(faults)
	}
}
