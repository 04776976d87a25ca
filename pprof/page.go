package pprof

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

// indexPage lists the pages.
var indexPage = template.Must(template.New("index").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Admin</title></head><body>
<h1>Admin</h1>
<ul>
<li><a href="/debug/pprof/">/debug/pprof/</a>: runtime profiles</li>
<li><a href="/metrics">/metrics</a>: numbers for Prometheus</li>
<li><a href="/healthz">/healthz</a>: does the program work?</li>
<li><a href="/readyz">/readyz</a>: does it take traffic?</li>
{{range .}}<li>{{if .Path}}<a href="{{.Path}}">{{.Path}}</a>{{else}}{{.Pattern}}{{end}}: {{.Help}}</li>
{{end}}</ul>
</body></html>
`))

// listed is a Page in the list. Path is what a browser can open; empty where it cannot.
type listed struct{ Pattern, Path, Help string }

// index names the pages.
func index(pages []Page) http.Handler {
	var list []listed
	for _, p := range pages {
		if p.Help == "" {
			continue
		}
		path, ok := strings.CutPrefix(p.Pattern, "GET ")
		if !ok || strings.Contains(path, "{") {
			path = ""
		}
		list = append(list, listed{p.Pattern, path, p.Help})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = indexPage.Execute(w, list) // fails when the client is gone only
	})
}

// registerPages adds the program's own. net/http panics where a pattern is none, or
// is there already.
func registerPages(mux *http.ServeMux, pages []Page) (err error) {
	pattern := ""
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %q: %v", ErrPage, pattern, p)
		}
	}()
	for _, p := range pages {
		pattern = p.Pattern
		if p.Handler == nil {
			return fmt.Errorf("%w: %q: no handler", ErrPage, pattern)
		}
		mux.Handle(pattern, p.Handler)
	}
	return nil
}
