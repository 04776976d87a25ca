package auth_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

func header(lines ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(lines); i += 2 {
		h.Add(lines[i], lines[i+1])
	}
	return h
}

func TestTheTokenIsFoundInItsPlaces(t *testing.T) {
	t.Parallel()
	const bad = "an error"
	for _, tt := range []struct {
		auth   string
		header http.Header
		want   string
	}{
		{``, nil, ""},
		{`{}`, nil, ""},
		{`{"token":"a"}`, nil, "a"},
		{`{"token":null}`, nil, ""},
		{`{"token":""}`, header("Authorization", "Bearer b"), "b"},
		{`{"token":"a"}`, header("Authorization", "Bearer b", "Cookie", "session=c"), "a"},
		{`{"token":7}`, header("Authorization", "Bearer b"), bad},
		{`{"token":["a"]}`, nil, bad},
		{`{"token":{"token":"a"}}`, nil, bad},
		{`["a"]`, nil, bad},
		{`{"token":"a","x":"` + strings.Repeat("x", 64<<10) + `"}`, nil, bad},
		{``, header("Authorization", "Bearer b", "Cookie", "session=c"), "b"},
		{``, header("Authorization", "bearer   b  "), "b"},
		{``, header("Authorization", "Bearer"), bad},
		{``, header("Authorization", "Bearer "), bad},
		{``, header("Authorization", "Bearer b", "Authorization", "Bearer c"), bad},
		{``, header("Authorization", "Basic YTpi"), ""},
		{``, header("Authorization", "Basic YTpi", "Cookie", "session=c"), "c"},
		{``, header("Cookie", "session=c"), "c"},
		{``, header("Cookie", `x=1; session="c"; y=2`), "c"},
		{``, header("Cookie", "x=1", "Cookie", "session=c"), "c"},
		{``, header("Cookie", "session=c; session=d"), bad},
		{``, header("Cookie", "Session=c; xsession=d; session2=e"), ""},
		{``, header("Cookie", "session="), ""},
	} {
		got, err := auth.TokenOf([]byte(tt.auth), tt.header, "session")
		if err != nil {
			got = bad
		}
		if got != tt.want {
			t.Errorf("%.50s %v: %q, want %q", tt.auth, tt.header, got, tt.want)
		}
	}
	if got, err := auth.TokenOf(nil, header("Cookie", "session=c; =d"), ""); got != "" || err != nil {
		t.Errorf("without a cookie's name: %q %v", got, err)
	}
}

func TestEveryPlaceLetsIn(t *testing.T) {
	t.Parallel()
	server, _ := guarded(t, auth.Options{Secret: secret, Cookie: "session"}, socketio.Options{})
	for _, o := range []socketiotest.ConnectOptions{
		with(good()), {Header: header("Authorization", "Bearer "+good())}, {Header: header("Cookie", "a=b; session="+good())},
	} {
		requireIn(t, server.Connect(o), "ann")
	}
	for _, o := range []socketiotest.ConnectOptions{
		{Header: header("Authorization", "Bearer x")}, {Header: header("Cookie", "session=x")},
		{Auth: map[string]any{"token": 7}, Header: header("Authorization", "Bearer "+good())},
	} {
		requireRefused(t, server.Connect(o), "invalid token", "token_invalid")
	}
	requireRefused(t, server.Connect(socketiotest.ConnectOptions{Query: map[string][]string{"token": {good()}}}), "token required", "token_required")
}

// Whatever comes, it is a token that was in it, nothing, or a refusal; and never both.
func FuzzTokenPlaces(f *testing.F) {
	f.Add([]byte(`{"token":"a"}`), "Bearer b", "session=c")
	f.Add([]byte(`{"token":null}`), "bearer  ", `session="c"; session=d`)
	f.Add([]byte(`[[[[`), "Basic x", "=;;=")
	f.Add([]byte(nil), "", "session=\x00")
	f.Add([]byte(`{"TOKEN":"a","token":1}`), "Bearer\tb", "a=b, session=c")
	f.Fuzz(func(t *testing.T, object []byte, authorization, cookie string) {
		h := http.Header{}
		if authorization != "" {
			h.Set("Authorization", authorization)
		}
		if cookie != "" {
			h.Set("Cookie", cookie)
		}
		token, err := auth.TokenOf(object, h, "session")
		if err != nil && token != "" {
			t.Fatalf("%q and %v", token, err)
		}
		var o struct{ Token *string }
		valid := json.Unmarshal(object, &o) == nil
		switch {
		case len(object) > 0 && !valid && err == nil:
			t.Fatalf("%q is no object, and was passed over", object)
		case len(object) > 0 && len(object) <= 64<<10 && valid && o.Token != nil && *o.Token != "" && token != *o.Token:
			t.Fatalf("%q: token %q", object, token)
		case token != "" && o.Token == nil && !strings.Contains(authorization, token) && !strings.Contains(cookie, token):
			t.Fatalf("%q was in neither %q nor %q", token, authorization, cookie)
		}
	})
}

// No token but those that were signed with the secret is let in.
func FuzzTokens(f *testing.F) {
	g, err := auth.New(auth.Options{Secret: secret, AllowForever: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(g.Close)
	f.Add("")
	f.Add("a.b.c")
	f.Add(raw(`{"alg":"none"}`, `{"sub":"ann"}`, ""))
	f.Add(raw(`{"alg":"HS256","kid":{}}`, `{"sub":"ann","exp":1e999}`, "AAAA"))
	f.Add(mint("HS256", []byte("another secret"), ann("exp", 4102444800)))
	f.Add(mint("HS256", []byte(secret), ann("exp", 1)))
	f.Fuzz(func(t *testing.T, token string) {
		if who, err := g.Try(token); err == nil && who.Subject != "" {
			t.Fatalf("%q was let in as %q", token, who.Subject)
		}
	})
}
