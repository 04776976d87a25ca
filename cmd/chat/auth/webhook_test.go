package auth_test

import (
	"crypto/hmac"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// asked is a question as the backend sees it.
type asked struct {
	header http.Header
	body   []byte
	json   map[string]any
}

// judge is a backend. What it answers is up to the test.
type judge struct {
	*httptest.Server
	questions chan asked
	answer    atomic.Pointer[http.HandlerFunc]
}

func newJudge(t *testing.T, status int, body string) *judge {
	t.Helper()
	j := &judge{questions: make(chan asked, 1000)}
	j.says(status, body)
	j.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := asked{header: r.Header.Clone()}
		q.body, _ = io.ReadAll(r.Body)
		_ = json.Unmarshal(q.body, &q.json)
		j.questions <- q
		(*j.answer.Load())(w, r)
	}))
	t.Cleanup(j.Close)
	return j
}

func (j *judge) says(status int, body string) {
	j.does(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func (j *judge) does(fn http.HandlerFunc) { j.answer.Store(&fn) }

func (j *judge) options(o auth.Webhook) auth.Options {
	o.URL = j.URL + "/connect"
	return auth.Options{Webhook: o}
}

const unavailable = "authentication is not available"

func TestTheBackendIsToldWhoAsks(t *testing.T) {
	t.Parallel()
	j := newJudge(t, 200, `{"subject":"ann","name":"Ann","expires":"2099-01-01T00:00:00Z","rooms":["red"]}`)
	hook := auth.Webhook{Secret: "shared with the backend", Headers: []string{"authorization", "X-Device", "X-Missing"}}
	server, g := guarded(t, j.options(hook), socketio.Options{})
	c := server.Connect(socketiotest.ConnectOptions{
		Auth: map[string]any{"token": "opaque", "device": map[string]any{"n": 12345678901234567}}, Query: map[string][]string{"room": {"a b", "c"}},
		Header: header("Authorization", "Bearer x", "Cookie", "private=1", "X-Device", "one", "X-Device", "two"),
		Addr:   netip.MustParseAddrPort("192.0.2.7:1"),
	})
	if who, want := auth.Of(c.Socket()), (auth.Identity{Subject: "ann", Name: "Ann", Expires: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}); who != want {
		t.Errorf("%+v", who)
	}
	if at, ok := c.Socket().Expires(); !ok || at.Year() != 2099 || !strings.Contains(fmt.Sprint(c.Socket().Rooms()), "red") {
		t.Errorf("expires %v, in %v", at, c.Socket().Rooms())
	}
	q := <-j.questions
	if got := fmt.Sprint(q.json["namespace"], q.json["address"], q.json["headers"]); got != "/192.0.2.7map[Authorization:Bearer x X-Device:one, two]" {
		t.Error(got)
	}
	if q.json["id"] != c.ID() || q.json["refresh"] != nil || !strings.Contains(string(q.body), `"auth":{"device":{"n":12345678901234567},"token":"opaque"}`) ||
		!strings.Contains(string(q.body), `"room":["a b","c"]`) || strings.Contains(string(q.body), "private") {
		t.Errorf("%s", q.body)
	}
	at := q.header.Get("X-Fanfare-Timestamp")
	want := auth.Signature([]byte("shared with the backend"), at, q.body)
	if !hmac.Equal([]byte(q.header.Get("X-Fanfare-Signature")), []byte(want)) || q.header.Get("Content-Type") != "application/json" {
		t.Errorf("%v, want %s", q.header, want)
	}
	if n, err := strconv.ParseInt(at, 10, 64); err != nil || time.Since(time.Unix(n, 0)) > time.Minute {
		t.Errorf("the time is %q", at)
	}
	if st := g.Stats(); st.Webhook["allowed"] != 1 || st.Results["allowed"] != 1 {
		t.Errorf("%+v", st)
	}
}

func TestWhatTheBackendAnswersIsWhatHappens(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for name, tt := range map[string]struct {
		status  int
		body    string
		subject string // in, as this one; "-" for a guest
		message string // refused with this one
		data    string
	}{
		"in":                         {200, `{"subject":"ann"}`, "ann", "", ""},
		"a guest":                    {200, `{}`, "-", "", ""},
		"expires as a number":        {200, `{"subject":"ann","expires":4102444800}`, "ann", "", ""},
		"expires null":               {200, `{"subject":"ann","expires":null,"rooms":null}`, "ann", "", ""},
		"expired":                    {200, `{"subject":"ann","expires":1}`, "", "token expired", `{"code":"token_expired"}`},
		"no, with words":             {403, `{"message":"you are banned","data":{"until":"tomorrow"}}`, "", "you are banned", `{"until":"tomorrow"}`},
		"no, with a message":         {401, `{"message":"log in first"}`, "", "log in first", `{"code":"refused"}`},
		"no, without words":          {401, ``, "", "not allowed", `{"code":"refused"}`},
		"no, with a page":            {404, `<html>not found</html>`, "", "not allowed", `{"code":"refused"}`},
		"no, with data null":         {403, `{"message":"no","data":null}`, "", "no", `{"code":"refused"}`},
		"an error":                   {500, `{"subject":"ann"}`, "", unavailable, `{"code":"unavailable"}`},
		"too busy":                   {429, `{"message":"slow down"}`, "", unavailable, `{"code":"unavailable"}`},
		"timeout of its own":         {408, ``, "", unavailable, `{"code":"unavailable"}`},
		"another success":            {204, ``, "", unavailable, `{"code":"unavailable"}`},
		"created":                    {201, `{"subject":"ann"}`, "", unavailable, `{"code":"unavailable"}`},
		"garbage":                    {200, `ok`, "", unavailable, `{"code":"unavailable"}`},
		"nothing":                    {200, ``, "", unavailable, `{"code":"unavailable"}`},
		"a list":                     {200, `[]`, "", unavailable, `{"code":"unavailable"}`},
		"a subject that is none":     {200, `{"subject":7}`, "", unavailable, `{"code":"unavailable"}`},
		"a subject that is too long": {200, `{"subject":"` + long + `"}`, "", unavailable, `{"code":"unavailable"}`},
		"a guest's long name":        {200, `{"name":"` + long + `"}`, "", unavailable, `{"code":"unavailable"}`},
		"an end that is none":        {200, `{"subject":"ann","expires":"tomorrow"}`, "", unavailable, `{"code":"unavailable"}`},
		"a room without a name":      {200, `{"subject":"ann","rooms":[""]}`, "", unavailable, `{"code":"unavailable"}`},
		"too long an answer":         {200, `{"subject":"ann"}` + strings.Repeat(" ", 64<<10), "", unavailable, `{"code":"unavailable"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := guarded(t, newJudge(t, tt.status, tt.body).options(auth.Webhook{}), socketio.Options{})
			c := server.Connect(with("opaque"))
			if tt.message == "" {
				requireIn(t, c, strings.Trim(tt.subject, "-"))
				return
			}
			e := c.Refused()
			if raw, _ := e.Data.(json.RawMessage); e.Message != tt.message || string(raw) != tt.data {
				t.Errorf("%q %s, want %q %s", e.Message, raw, tt.message, tt.data)
			}
		})
	}
}

// Redirects would take what clients said to where nobody meant it to go.
func TestTheBackendsRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	other := newJudge(t, 200, `{"subject":"ann"}`)
	for _, status := range []int{301, 302, 303, 307, 308} {
		j := newJudge(t, 200, "")
		j.does(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		server, _ := guarded(t, j.options(auth.Webhook{}), socketio.Options{})
		requireRefused(t, server.Connect(with("x")), unavailable, "unavailable")
	}
	if len(other.questions) > 0 {
		t.Error("one was followed")
	}
}

// With keys and a backend, the token comes first, and the backend has the last word.
func TestTokensAreVerifiedBeforeTheBackendIsAsked(t *testing.T) {
	t.Parallel()
	j := newJudge(t, 200, `{"name":"Ann the First","expires":4102444800}`)
	o := j.options(auth.Webhook{})
	o.Secret = secret
	server, _ := guarded(t, o, socketio.Options{})
	requireRefused(t, server.Connect(with("rubbish")), "invalid token", "token_invalid")
	if len(j.questions) > 0 {
		t.Error("it was asked about a bad token")
	}
	end := time.Now().Add(time.Hour).Truncate(time.Second)
	c := server.Connect(with(good("exp", end.Unix())))
	if who := auth.Of(c.Socket()); who.Subject != "ann" || who.Name != "Ann the First" || !who.Expires.Equal(end) {
		t.Errorf("%+v", who) // longer than the token nobody stays
	}
	if q := <-j.questions; q.json["subject"] != "ann" || q.json["name"] != "Ann" || q.header.Get("X-Fanfare-Signature") != "" {
		t.Errorf("%s %v", q.body, q.header)
	}
	j.says(403, `{"message":"banned"}`)
	requireRefused(t, server.Connect(with(good())), "banned", "refused")
}

func TestTheBackendIsAskedAboutRefreshes(t *testing.T) {
	t.Parallel()
	j := newJudge(t, 200, `{"subject":"ann","expires":4102444800}`)
	server, _ := guarded(t, j.options(auth.Webhook{Headers: []string{"X-Device"}}), socketio.Options{})
	c := server.Connect(socketiotest.ConnectOptions{Auth: map[string]string{"token": "first"}, Header: header("X-Device", "one")})
	c.Ask("refresh", "second").Expect(map[string]string{"at": "2100-01-01T00:00:00Z"})
	<-j.questions
	q := <-j.questions
	if q.json["refresh"] != true || q.json["subject"] != "ann" || fmt.Sprint(q.json["auth"]) != "map[token:second]" || q.json["id"] != c.ID() {
		t.Errorf("%s", q.body)
	}
	time.Sleep(1100 * time.Millisecond) // the rate of refreshes
	j.says(200, `{"subject":"bob"}`)
	c.Ask("refresh", "third").Expect(map[string]string{"error": "the token is somebody else's", "code": "other_subject"})
}

// Slow questions are bounded, wait in a queue that is bounded, and hold up nobody else.
func TestASlowBackendHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	j := newJudge(t, 200, "")
	hold := make(chan struct{})
	j.does(func(w http.ResponseWriter, _ *http.Request) {
		<-hold
		_, _ = io.WriteString(w, `{"subject":"ann"}`)
	})
	server, g := guarded(t, j.options(auth.Webhook{Timeout: patience, Concurrency: 3, Queue: 5}), socketio.Options{})
	var clients sync.WaitGroup
	defer clients.Wait()
	for range 20 {
		clients.Go(func() { server.Connect(with("x")) })
	}
	eventually(t, "3 are asked about, 5 wait, 12 are refused", func() bool {
		st := g.Stats()
		return st.WebhookBusy == 3 && st.WebhookWaiting == 5 && st.Results["unavailable"] == 12 && st.Webhook["busy"] == 12
	})
	close(hold)
	eventually(t, "8 are in", func() bool { return g.Stats().Results["allowed"] == 8 })
	if st := g.Stats(); st.WebhookBusy != 0 || st.WebhookWaiting != 0 {
		t.Errorf("%+v", st)
	}
}

// A client that hangs up takes its question with it.
func TestAClientThatGoesAwayIsNotAskedAbout(t *testing.T) {
	t.Parallel()
	j := newJudge(t, 200, "")
	gone := make(chan struct{})
	j.does(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		close(gone)
	})
	v := socketio.New(socketio.Options{})
	g := newGuard(t, j.options(auth.Webhook{Timeout: time.Hour}))
	g.Protect(v)
	if err := v.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = v.Shutdown(t.Context()) }()
	hangUp := dialAndConnect(t, v.Addr().String())
	<-j.questions
	hangUp()
	<-gone
	eventually(t, "it is counted", func() bool { return g.Stats().Webhook["gone"] == 1 })
}

func TestTheBackendHasItsTime(t *testing.T) {
	t.Parallel()
	j := newJudge(t, 200, "")
	hold := make(chan struct{})
	defer close(hold)
	j.does(func(http.ResponseWriter, *http.Request) { <-hold })
	server, g := guarded(t, j.options(auth.Webhook{Timeout: 50 * time.Millisecond, Concurrency: 1, Queue: 1}), socketio.Options{})
	requireRefused(t, server.Connect(with("x")), unavailable, "unavailable")
	if st := g.Stats(); st.Webhook["timeout"] != 1 {
		t.Errorf("%+v", st.Webhook)
	}
}

// After some failures in a row the backend is left alone for a while, and then one
// question finds out.
func TestABackendThatFailsIsLeftAlone(t *testing.T) {
	t.Parallel()
	j := newJudge(t, 500, "")
	server, g := guarded(t, j.options(auth.Webhook{}), socketio.Options{})
	for range 3 * auth.BreakerFailures {
		requireRefused(t, server.Connect(with("x")), unavailable, "unavailable")
	}
	if st := g.Stats(); st.Webhook["failed"] != auth.BreakerFailures || st.Webhook["open"] != 2*auth.BreakerFailures || len(j.questions) != auth.BreakerFailures {
		t.Errorf("%+v, asked %d times", st.Webhook, len(j.questions))
	}
	j.says(200, `{"subject":"ann"}`)
	eventually(t, "it is asked again", func() bool {
		server.Connect(with("x"))
		return g.Stats().Webhook["allowed"] > 0
	})
	requireIn(t, server.Connect(with("x")), "ann")
}

func TestTheBreakersPausesGrow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := new(auth.Breaker)
		for range auth.BreakerFailures {
			b.Fail(t)
		}
		for _, pause := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			b.RequireOpen(t)
			time.Sleep(pause*time.Second - time.Nanosecond)
			b.RequireOpen(t)
			time.Sleep(time.Nanosecond)
			b.Fail(t) // the one that is let through
		}
		time.Sleep(30 * time.Second)
		b.Succeed(t)
		for range auth.BreakerFailures - 1 {
			b.Fail(t)
		}
		b.Succeed(t)
	})
}

func FuzzBackendTimes(f *testing.F) {
	for _, s := range []string{`null`, `0`, `-1`, `4102444800`, `"2099-01-01T00:00:00Z"`, `"tomorrow"`, `1e99`, ``, `"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		at, err := auth.Moment(b)
		if n, e := strconv.ParseInt(string(b), 10, 64); e == nil && (err != nil || at.Unix() != n) {
			t.Fatalf("%q: %v %v", b, at, err)
		}
	})
}
