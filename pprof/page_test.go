package pprof_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/pprof"
)

func TestPagesOfTheProgramAreServedAndListed(t *testing.T) {
	says := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, text+r.PathValue("id")) })
	}
	s := start(t, pprof.Options{Pages: []pprof.Page{
		{Pattern: "GET /debug/things", Help: "things & more", Handler: says("all")},
		{Pattern: "PUT /debug/things/{id}", Help: "a thing", Handler: says("put ")},
		{Pattern: "DELETE /debug/things/{id}", Handler: says("deleted ")},
	}})
	if w := get(s, "/debug/things"); w.Body.String() != "all" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/debug/things/7", nil))
	if w.Body.String() != "put 7" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	index := get(s, "/").Body.String()
	for _, line := range []string{
		`<li><a href="/metrics">/metrics</a>`,
		`<li><a href="/debug/things">/debug/things</a>: things &amp; more</li>`,
		`<li>PUT /debug/things/{id}: a thing</li>`,
	} {
		if !strings.Contains(index, line) {
			t.Errorf("no %s in %s", line, index)
		}
	}
	if strings.Contains(index, "DELETE") {
		t.Error("a page without help is listed")
	}
}

func TestPagesThatCannotBeAreRefused(t *testing.T) {
	ok := http.NotFoundHandler()
	for _, pages := range [][]pprof.Page{
		{{Pattern: "GET /metrics", Handler: ok}},
		{{Pattern: "GET nowhere at all", Handler: ok}},
		{{Pattern: "GET /x"}},
		{{Pattern: "GET /x", Handler: ok}, {Pattern: "GET /x", Handler: ok}},
	} {
		if _, err := pprof.New(pprof.Options{Pages: pages}); !errors.Is(err, pprof.ErrPage) {
			t.Errorf("%v: error %v", pages, err)
		}
	}
}
