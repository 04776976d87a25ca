package engine

import (
	"net/http"
	"strings"
)

// Wrap returns a handler that treats other origins as the engine does: preflights are
// answered, what next answers carries the header lines. It is for what stands beside the
// engine, such as client files. A zero CORS changes nothing.
func (k CORS) Wrap(next http.Handler) http.Handler {
	if !k.on() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addLines(w.Header(), k.lines([]byte(r.Header.Get("Origin"))))
		if r.Method != http.MethodOptions || k.PreflightContinue {
			next.ServeHTTP(w, r)
			return
		}
		addLines(w.Header(), string(k.preflight([]byte(r.Header.Get("Access-Control-Request-Headers")))))
		w.WriteHeader(orElse(k.PreflightStatus, http.StatusNoContent))
	})
}

// addLines adds ready header lines to h.
func addLines(h http.Header, lines string) {
	for line := range strings.SplitSeq(lines, "\r\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			h.Add(name, value)
		}
	}
}
