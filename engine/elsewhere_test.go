package engine_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

const strange = "b.AAAAAAAAAAAAAAAAAAAA" // the id of a session of the server b

// others is an Options.Forward that knows the server b, and says what it is asked.
func others(tag string) http.Handler {
	if tag != "b" {
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		host, _, _ := strings.Cut(r.RemoteAddr, ":")
		_, _ = fmt.Fprintf(w, "b: %s %s %d %s %v", r.Method, r.RequestURI, len(b), host, r.TLS != nil)
	})
}

func TestASessionIDBeginsWithItsServersTag(t *testing.T) {
	eachWayIn(t, engine.Options{NodeTag: "Node7", Cookie: &engine.Cookie{}}, func(t *testing.T, f *fixture) {
		c := f.dial()
		r := c.do("GET", pollURL, "")
		o := parseOpen(t, r.body)
		id, found := strings.CutPrefix(o.SID, "Node7.")
		if !found || len(id) != 20 {
			t.Fatalf("sid %q", o.SID)
		}
		if got := r.Cookies()[0].Value; got != o.SID {
			t.Errorf("cookie %q", got)
		}
		if got := f.session(o.SID).s.ID(); got != o.SID {
			t.Errorf("ID() is %q", got)
		}
		if r := c.do("POST", pollURL+"&sid="+o.SID, "4hello"); r.body != "ok" {
			t.Fatalf("%s %q", r.Status, r.body)
		}
		for _, sid := range []string{id, "." + id, "node7." + id, "Node7.Node7." + id, "Node7" + id, "x." + id} {
			if r := c.do("GET", pollURL+"&sid="+sid, ""); r.StatusCode != 400 || !strings.Contains(r.body, `"code":1`) {
				t.Errorf("%s: %s %q", sid, r.Status, r.body)
			}
		}
		ws, o := f.openWS()
		if !strings.HasPrefix(o.SID, "Node7.") {
			t.Fatalf("sid %q", o.SID)
		}
		_ = ws.Close()
	})
}

func TestANameOfTheApplicationHasTheTagInFront(t *testing.T) {
	f := start(t, engine.Options{NodeTag: "a", GenerateID: func(*http.Request) (string, error) { return "my-name.1", nil }})
	c, o := f.openPolling()
	if o.SID != "a.my-name.1" {
		t.Fatalf("sid %q", o.SID)
	}
	if r := c.do("POST", pollURL+"&sid="+o.SID, "4hello"); r.body != "ok" {
		t.Fatalf("%s %q", r.Status, r.body)
	}
}

func TestRequestsForAnotherServerAreForwarded(t *testing.T) {
	eachWayIn(t, engine.Options{NodeTag: "a", Forward: others}, func(t *testing.T, f *fixture) {
		c := f.dial()
		sid := parseOpen(t, c.do("GET", pollURL, "").body).SID
		saw := func(method, target string, n int) string {
			return fmt.Sprintf("b: %s %s %d 127.0.0.1 %v", method, target, n, f.secure || f.tls != nil)
		}
		for range 2 { // on one connection, to and fro
			if r := c.do("GET", pollURL+"&sid="+strange, ""); r.body != saw("GET", pollURL+"&sid="+strange, 0) {
				t.Fatalf("%s %q", r.Status, r.body)
			}
			if r := c.do("POST", pollURL+"&sid="+strange, strings.Repeat("x", 100_000)); r.body != saw("POST", pollURL+"&sid="+strange, 100_000) {
				t.Fatalf("%s %q", r.Status, r.body)
			}
			if r := c.do("POST", pollURL+"&sid="+sid, "4hello"); r.body != "ok" {
				t.Fatalf("%s %q", r.Status, r.body)
			}
			if r := c.do("GET", pollURL+"&sid=c.AAAAAAAAAAAAAAAAAAAA", ""); r.StatusCode != 400 || r.body != `{"code":1,"message":"Session ID unknown"}` {
				t.Fatalf("nobody is called c: %s %q", r.Status, r.body)
			}
		}
		if r := f.dial().do("GET", wsURL+"&sid="+strange, "", wsHeader); r.body != saw("GET", wsURL+"&sid="+strange, 0) {
			t.Fatalf("%s %q", r.Status, r.body)
		}
		if n := f.srv.Stats().Forwarded; n != 5 {
			t.Errorf("%d were forwarded", n)
		}
	})
}

// Without Forward, a session of another server is unknown, as it always was.
func TestWithoutForwardAnotherServersSessionIsUnknown(t *testing.T) {
	for _, tag := range []string{"", "a"} {
		f := start(t, engine.Options{NodeTag: tag, Handler: page("page")})
		c := f.dial()
		if r := c.do("GET", pollURL+"&sid="+strange, ""); r.StatusCode != 400 || r.body != `{"code":1,"message":"Session ID unknown"}` {
			t.Errorf("%s %q", r.Status, r.body)
		}
		if r := c.do("GET", "/", ""); r.body != "page" {
			t.Errorf("%s %q", r.Status, r.body)
		}
	}
}

func TestForwardDoesNotServeOtherPaths(t *testing.T) {
	f := start(t, engine.Options{NodeTag: "a", Forward: others})
	c := f.dial()
	c.do("GET", pollURL+"&sid="+strange, "") // and is net/http's from now on
	if r := c.do("GET", "/page?sid="+strange, ""); r.StatusCode != 404 {
		t.Errorf("%s %q", r.Status, r.body)
	}
	if r := f.dial().do("GET", "/page?sid="+strange, ""); r.StatusCode != 404 {
		t.Errorf("%s %q", r.Status, r.body)
	}
	if r := f.dial().do("GET", pollURL+"&sid="+strange+"&sid="+strange, ""); r.StatusCode != 400 {
		t.Errorf("two ids: %s %q", r.Status, r.body)
	}
}

func TestWhatIsForwardedCountsForTheRequestRate(t *testing.T) {
	eachWayIn(t, engine.Options{NodeTag: "a", Forward: others, Limits: engine.Limits{RequestRatePerIP: engine.Rate{PerSecond: 1, Burst: 3}}}, func(t *testing.T, f *fixture) {
		if f.way.mounted {
			t.Skip("the mux's http.Server has requests counted by nobody before they are the engine's")
		}
		for range 20 {
			if f.dial().do("GET", pollURL+"&sid="+strange, "").StatusCode == 429 {
				return
			}
		}
		t.Error("20 requests were forwarded")
	})
}

func TestARefusedSessionIsAnsweredAsTheEngineDoes(t *testing.T) {
	refuse := func(tag string) http.Handler {
		if tag != "b" {
			return nil
		}
		return http.HandlerFunc(engine.RefuseSession)
	}
	eachWayIn(t, engine.Options{NodeTag: "a", Forward: refuse, CORS: engine.CORS{Origins: []string{"https://page.example"}}}, func(t *testing.T, f *fixture) {
		for _, q := range [][]string{{pollURL}, {pollURL, "Origin: https://page.example"}, {wsURL, wsHeader}} {
			want := f.dial().do("GET", q[0]+"&sid=c.AAAAAAAAAAAAAAAAAAAA", "", q[1:]...)
			got := f.dial().do("GET", q[0]+"&sid="+strange, "", q[1:]...)
			want.Header.Del("Date")
			got.Header.Del("Date")
			if got.StatusCode != want.StatusCode || got.body != want.body || !sameFields(got.Header, want.Header) || got.Close != want.Close {
				t.Errorf("got %v %q, want %v %q", got.Header, got.body, want.Header, want.body)
			}
		}
	})
}

// A poll that another server holds must not hold up our end.
func TestShutdownEndsWhatIsForwarded(t *testing.T) {
	held := make(chan struct{}, 1)
	forward := func(string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			held <- struct{}{}
			<-r.Context().Done()
			w.WriteHeader(http.StatusServiceUnavailable)
		})
	}
	f := start(t, engine.Options{NodeTag: "a", Forward: forward})
	c := f.dial()
	c.request("GET", pollURL+"&sid="+strange, "")
	receive(t, held)
	began := time.Now()
	f.stop()
	f.served <- nil // for the end of the test
	if took := time.Since(began); took > patience/2 {
		t.Errorf("took %v", took)
	}
	if r := c.read("GET"); r.StatusCode != 503 {
		t.Errorf("%s", r.Status)
	}
}

func TestBadNodeTags(t *testing.T) {
	accept := func(*engine.Session) engine.Receiver { return nil }
	for _, o := range []engine.Options{
		{NodeTag: "a.b"}, {NodeTag: "a b"}, {NodeTag: strings.Repeat("x", 17)}, {NodeTag: "ä"}, {Forward: others},
	} {
		o.Accept = accept
		if _, err := engine.New(o); !errors.Is(err, engine.ErrBadNodeTag) {
			t.Errorf("%q: %v", o.NodeTag, err)
		}
	}
	if _, err := engine.New(engine.Options{Accept: accept, NodeTag: "aZ0123456789wxyz", Forward: others}); err != nil {
		t.Error(err)
	}
}
