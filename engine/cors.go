package engine

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// CORS says which origins besides the server's own may use it. The zero value
// means none: no CORS headers, and WebSocket handshakes from another origin are
// refused. (Node lets any site open a WebSocket then, cookies included; that is
// cross-site WebSocket hijacking, so we do not.)
type CORS struct {
	// Origins lists origins such as "https://example.com", or "*" for all. Node: cors.origin.
	Origins []string
	// Patterns admits further origins that match one of them as far as it says: "^" and
	// "$" are yours to write. Node: regular expressions in cors.origin.
	Patterns []*regexp.Regexp
	// Origin admits further origins. It is called on an event loop: it must not block.
	// One that returns true for all is Node's origin: true, which echoes each origin, so
	// that credentials work for all; only for what everybody may know and do. Node: a
	// function as cors.origin.
	Origin func(origin string) bool
	// Credentials allows cookies and the like. Node: cors.credentials.
	Credentials bool
	// Methods for preflights; default GET,HEAD,PUT,PATCH,POST,DELETE. Node: cors.methods.
	Methods []string
	// AllowedHeaders for preflights; default: whatever is asked for. Node: cors.allowedHeaders.
	AllowedHeaders []string
	// ExposedHeaders that scripts may read. Node: cors.exposedHeaders.
	ExposedHeaders []string
	// MaxAge of a preflight; default none. Node: cors.maxAge.
	MaxAge time.Duration
	// PreflightContinue leaves the answer to preflights to the middlewares (Server.Use):
	// the engine itself has none but a refusal. Node: cors.preflightContinue.
	PreflightContinue bool
	// PreflightStatus is the status of the answer to a preflight; default 204. Node:
	// cors.optionsSuccessStatus.
	PreflightStatus int
}

// SetCORS replaces Options.CORS, from the next request on; who is connected stays. Safe
// from any goroutine; k is not to be changed afterwards.
func (s *Server) SetCORS(k CORS) { s.cors.Store(&k) }

func (k *CORS) on() bool { return len(k.Origins)+len(k.Patterns) > 0 || k.Origin != nil }

// one reports that there is one fixed origin, which is told whoever asks (fact 10).
func (k *CORS) one() bool { return len(k.Origins) == 1 && len(k.Patterns) == 0 && k.Origin == nil }

// lists reports whether origin may use the server.
func (k *CORS) lists(origin []byte) bool {
	if slices.Contains(k.Origins, string(origin)) {
		return true
	}
	for _, p := range k.Patterns {
		if p.Match(origin) {
			return true
		}
	}
	return k.Origin != nil && k.Origin(string(origin))
}

func (k *CORS) any() bool { return slices.Contains(k.Origins, "*") }

// lines returns the header lines for a response to a request from origin.
func (k *CORS) lines(origin []byte) string {
	if !k.on() {
		return ""
	}
	var s strings.Builder
	switch {
	case k.any():
		if !k.Credentials && len(k.ExposedHeaders) == 0 {
			return "Access-Control-Allow-Origin: *\r\n" // the common case: no allocation
		}
		s.WriteString("Access-Control-Allow-Origin: *\r\n")
	case k.one():
		s.WriteString("Access-Control-Allow-Origin: " + k.Origins[0] + "\r\nVary: Origin\r\n")
	default:
		if len(origin) > 0 && validOrigin(origin) && k.lists(origin) {
			s.WriteString("Access-Control-Allow-Origin: " + string(origin) + "\r\n")
		}
		s.WriteString("Vary: Origin\r\n")
	}
	if k.Credentials {
		s.WriteString("Access-Control-Allow-Credentials: true\r\n")
	}
	if len(k.ExposedHeaders) > 0 {
		s.WriteString("Access-Control-Expose-Headers: " + strings.Join(k.ExposedHeaders, ",") + "\r\n")
	}
	return s.String()
}

// preflight returns the further header lines of the answer to OPTIONS. asked is the value
// of Access-Control-Request-Headers.
func (k *CORS) preflight(asked []byte) []byte {
	methods := "GET,HEAD,PUT,PATCH,POST,DELETE"
	if len(k.Methods) > 0 {
		methods = strings.Join(k.Methods, ",")
	}
	b := []byte("Access-Control-Allow-Methods: " + methods + "\r\n")
	if len(k.AllowedHeaders) > 0 {
		b = append(b, "Access-Control-Allow-Headers: "+strings.Join(k.AllowedHeaders, ",")+"\r\n"...)
	} else {
		b = append(b, "Vary: Access-Control-Request-Headers\r\n"...)
		if len(asked) > 0 {
			b = append(append(append(b, "Access-Control-Allow-Headers: "...), asked...), "\r\n"...)
		}
	}
	if k.MaxAge > 0 {
		b = append(b, "Access-Control-Max-Age: "+strconv.Itoa(int(k.MaxAge/time.Second))+"\r\n"...)
	}
	return b
}

// answer is what a preflight is answered with.
func (k *CORS) answer(q *http1.Request) http1.Response {
	return http1.Response{Status: orElse(k.PreflightStatus, http.StatusNoContent), Header: k.preflight(q.Get("Access-Control-Request-Headers"))}
}

// admits reports whether a WebSocket handshake may come from origin: no Origin
// (not a browser), the server's own host, or one that is listed.
func (k *CORS) admits(origin, host []byte) bool {
	switch {
	case len(origin) == 0 || k.any():
		return true
	case k.lists(origin):
		return true
	}
	_, authority, ok := bytes.Cut(origin, []byte("://"))
	return ok && bytes.EqualFold(authority, host)
}

// validOrigin checks the characters of an Origin header (fact 3).
func validOrigin(origin []byte) bool {
	for _, c := range origin {
		if c < 0x20 || c == 0x7f {
			return false
		}
	}
	return true
}
