package engine_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

type originCase struct {
	name    string
	cors    engine.CORS
	allowed map[string]string // origin -> Access-Control-Allow-Origin; "-" is none
	vary    bool
}

// originCases are the ways to say which origins may use a server, and what they make of
// some (Node: the cors package).
var originCases = []originCase{
	{"one origin, told whoever asks", engine.CORS{Origins: []string{"http://a.example"}},
		map[string]string{"": "http://a.example", "http://a.example": "http://a.example", "http://b.example": "http://a.example"}, true},
	{"a list", engine.CORS{Origins: []string{"http://a.example", "http://b.example"}},
		map[string]string{"": "-", "http://a.example": "http://a.example", "http://b.example": "http://b.example", "http://c.example": "-"}, true},
	{"a pattern", engine.CORS{Patterns: []*regexp.Regexp{regexp.MustCompile(`^https://[a-z]+\.example$`)}},
		map[string]string{"": "-", "https://any.example": "https://any.example", "https://any.example.evil": "-"}, true},
	{"an origin and a pattern", engine.CORS{Origins: []string{"http://a.example"}, Patterns: []*regexp.Regexp{regexp.MustCompile(`^http://b`)}},
		map[string]string{"": "-", "http://a.example": "http://a.example", "http://b.example": "http://b.example", "http://c.example": "-"}, true},
	{"a function", engine.CORS{Origin: func(o string) bool { return strings.HasSuffix(o, ".example") }},
		map[string]string{"": "-", "http://a.example": "http://a.example", "http://a.evil": "-"}, true},
	{"everybody", engine.CORS{Origins: []string{"*"}},
		map[string]string{"": "*", "http://a.example": "*"}, false},
	{"everybody, with credentials", engine.CORS{Origins: []string{"*"}, Credentials: true, ExposedHeaders: []string{"X-A", "X-B"}},
		map[string]string{"": "*", "http://a.example": "*"}, false},
}

func TestOriginsAreToldAlikeEverywhere(t *testing.T) {
	for _, tt := range originCases {
		t.Run(tt.name, func(t *testing.T) {
			f := startFacts(t, engine.Options{CORS: tt.cors})
			files := tt.cors.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
			for origin, want := range tt.allowed {
				lines := []string{wsHeader}
				r := httptest.NewRequest("GET", "/file", nil)
				if origin != "" {
					lines = append(lines, "Origin: "+origin)
					r.Header.Set("Origin", origin)
				}
				w := httptest.NewRecorder()
				files.ServeHTTP(w, r)
				tt.check(t, "file", origin, want, w.Header())
				tt.check(t, "polling", origin, want, f.dial().do("GET", "/socket.io/?transport=polling", "", lines[1:]...).Header)
				ws := f.dial().do("GET", wsURL, "", lines...)
				if refused := origin != "" && want != "*" && want != origin; refused != (ws.StatusCode == 403) {
					t.Errorf("WebSocket from %q: %s", origin, ws.Status)
				}
				tt.check(t, "WebSocket", origin, want, ws.Header)
			}
		})
	}
}

func (tt *originCase) check(t *testing.T, what, origin, want string, h http.Header) {
	t.Helper()
	got := h.Get("Access-Control-Allow-Origin")
	if got == "" {
		got = "-"
	}
	if got != want || (h.Get("Vary") == "Origin") != tt.vary {
		t.Errorf("%s from %q: %v, want %q", what, origin, h, want)
	}
	if (h.Get("Access-Control-Allow-Credentials") == "true") != tt.cors.Credentials || h.Get("Access-Control-Expose-Headers") != strings.Join(tt.cors.ExposedHeaders, ",") {
		t.Errorf("%s: %v", what, h)
	}
}

func TestPreflights(t *testing.T) {
	cors := engine.CORS{Origins: []string{"http://a.example"}, AllowedHeaders: []string{"X-A", "X-B"}, Methods: []string{"GET", "POST"}, MaxAge: 90e9, PreflightStatus: 200}
	f := startFacts(t, engine.Options{CORS: cors})
	want := http.Header{
		"Access-Control-Allow-Origin": {"http://a.example"}, "Access-Control-Allow-Methods": {"GET,POST"},
		"Access-Control-Allow-Headers": {"X-A,X-B"}, "Access-Control-Max-Age": {"90"}, "Vary": {"Origin"},
	}
	r := f.dial().do("OPTIONS", pollURL, "", "Access-Control-Request-Headers: X-C")
	r.Header.Del("Content-Length")
	if fmt.Sprint(r.Header) != fmt.Sprint(want) || r.StatusCode != 200 {
		t.Errorf("%s %v", r.Status, r.Header)
	}
	w := httptest.NewRecorder()
	cors.Wrap(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("OPTIONS", "/file", nil))
	if fmt.Sprint(w.Header()) != fmt.Sprint(want) || w.Code != 200 {
		t.Errorf("beside the engine: %d %v", w.Code, w.Header())
	}
}

// A preflight may be left to a middleware, or be refused like any other OPTIONS.
func TestPreflightContinue(t *testing.T) {
	f := startFacts(t, engine.Options{CORS: engine.CORS{Origins: []string{"*"}, PreflightContinue: true}})
	c := f.dial()
	c.request("OPTIONS", pollURL, "")
	c.expect(codeError(2, "Bad handshake method", "Access-Control-Allow-Origin: *"))
	f.srv.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	if r := c.do("OPTIONS", pollURL, ""); r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%s %v", r.Status, r.Header)
	}
}

func TestInitialPacket(t *testing.T) {
	f := startFacts(t, engine.Options{InitialPacket: "welcome"})
	r := f.dial().do("GET", pollURL, "")
	open, rest, _ := strings.Cut(r.body, sep)
	if rest != "4welcome" {
		t.Errorf("over polling: %q", r.body)
	}
	f.session(parseOpen(t, open).SID)
	w, _ := f.openWS()
	if got := w.text(); got != "4welcome" {
		t.Errorf("over WebSocket: %q", got)
	}
}

// What SetCORS says holds for the next request, over every transport.
func TestOriginsAreReplacedWhileTheServerRuns(t *testing.T) {
	f := startFacts(t, engine.Options{CORS: engine.CORS{Origins: []string{"*"}}})
	lines := []string{wsHeader, "Origin: http://a.example"}
	for _, tt := range []struct {
		origins []string
		told    string
		status  int
	}{
		{[]string{"*"}, "*", 101},
		{[]string{"http://b.example", "http://c.example"}, "", 403},
		{[]string{"http://a.example", "http://c.example"}, "http://a.example", 101},
		{nil, "", 403},
	} {
		f.srv.SetCORS(engine.CORS{Origins: tt.origins})
		got := f.dial().do("GET", "/socket.io/?transport=polling", "", lines[1:]...)
		if h := got.Header.Get("Access-Control-Allow-Origin"); h != tt.told {
			t.Errorf("%v: polling is told %q", tt.origins, h)
		}
		if got := f.dial().do("GET", wsURL, "", lines...); got.StatusCode != tt.status {
			t.Errorf("%v: WebSocket: %s", tt.origins, got.Status)
		}
	}
}
