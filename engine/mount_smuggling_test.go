package engine_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// Only what the loop takes for an upgrade, too, is taken from net/http: the connection's next
// request would be served without the middlewares in front of the engine.
func TestOnlyUpgradesAreTakenFromNetHTTP(t *testing.T) {
	for _, header := range []string{
		"Upgrade: websocket\r\nConnection: upgrade\u00a0", "Upgrade: websocket\r\nConnection: \u0085upgrade, keep-alive",
		"Upgrade:\r\nConnection: upgrade", "Upgrade: websocket", "Connection: upgrade",
	} {
		f := startFacts(t, engine.Options{}, func(f *fixture) { f.way = way{mounted: true} })
		asked := make(chan string, 10)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked <- r.Method
			f.srv.ServeHTTP(w, r)
		}))
		t.Cleanup(s.Close)
		f.addr = s.Listener.Addr().String()
		c := f.dial()
		for range 2 {
			parseOpen(t, c.do("GET", pollURL, "", header).body)
			receive(t, asked)
		}
	}
}

// A body that ends before its length, because a middleware took some of it, is not waited for.
func TestABodyThatIsShorterThanItsLength(t *testing.T) {
	f := startFacts(t, engine.Options{BodyTimeout: time.Hour}, func(f *fixture) { f.way = way{mounted: true} })
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadFull(r.Body, make([]byte, 2))
		f.srv.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	_, o := f.openPolling()
	client := s.Client()
	client.Timeout = patience
	if got, err := f.ask(client, http.MethodPost, s.URL+pollURL+"&sid="+o.SID, "4text"); err == nil || os.IsTimeout(err) {
		t.Errorf("answered %q, %v", got, err)
	}
	f.session(o.SID).ended(t, engine.ReasonTransportError)
}

// What a client sends is one request, whatever the middlewares in front of the engine make
// of it: a second one, made of the body or of the method of the first, would have its answer
// given to whoever has the pipe next.
func TestNoRequestWithinAnother(t *testing.T) {
	const hidden = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: h\r\n\r\n"
	for name, c := range map[string]struct {
		change  func(r *http.Request)
		body    string
		chunked bool
		status  int
	}{
		"a body that was chunked and has a length now": {func(r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		}, "0\r\n\r\n" + hidden, true, 200},
		"a body that had a length and is chunked now": {func(r *http.Request) {
			r.TransferEncoding = []string{"chunked"}
		}, "0\r\n\r\n" + hidden, false, 200},
		"a body that was chunked and is none now": {func(r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			r.Body, r.ContentLength = http.NoBody, 0
		}, "4x", true, 200},
		"a method that is none": {func(r *http.Request) {
			r.Method = hidden + "POST"
		}, "4x", false, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := startFacts(t, engine.Options{Loops: 1}, func(f *fixture) { f.way = way{mounted: true} })
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					c.change(r)
				}
				f.srv.ServeHTTP(w, r)
			}))
			t.Cleanup(s.Close)
			_, o := f.openPolling()
			before := f.srv.Stats()
			body := io.Reader(strings.NewReader(c.body))
			if c.chunked {
				body = io.MultiReader(body) // whose length net/http cannot tell
			}
			resp, err := s.Client().Post(s.URL+pollURL+"&sid="+o.SID, "text/plain", body)
			if err != nil {
				t.Fatal(err)
			}
			if _ = resp.Body.Close(); resp.StatusCode != c.status {
				t.Errorf("%s", resp.Status)
			}
			if _, err := f.ask(s.Client(), http.MethodGet, s.URL+"/socket.io/?EIO=4&transport=x", ""); err != nil {
				t.Error(err)
			}
			st := f.srv.Stats()
			if st.Opened != before.Opened || st.Requests-before.Requests > 2 {
				t.Errorf("two requests were served as %d, and opened %d sessions", st.Requests-before.Requests, st.Opened-before.Opened)
			}
		})
	}
}
