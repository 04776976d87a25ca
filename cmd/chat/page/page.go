package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The official client on Socket.IO's CDN, as the "Client Installation" page of its documentation names it.
const (
	CDN          = "https://cdn.socket.io/4.8.1/socket.io.min.js"
	CDNIntegrity = "sha384-mkQ3/7FUtcGyoppY6bz/PORYoGqOl7/aSUMn2ymDOJcapfS6PHqxhRTMh1RR0Q6+"
)

//go:embed index.html style.css chat.js favicon.svg
var files embed.FS

// Options say how the page presents itself. The zero value loads the client from the CDN.
type Options struct {
	// ClientURL is where the page loads the official client from: "/socket.io/socket.io.min.js" where the server has
	// the npm package's files, or a URL of another host. Default: CDN, then with CDNIntegrity.
	ClientURL string

	// Title stands in the browser's tab and above the messages. Default: "Fanfare chat".
	Title string
}

// Handler serves the page at "/" and its three files beside it; every other path is a 404. The handler is safe for
// concurrent use.
func Handler(o Options) http.Handler {
	if o.ClientURL == "" {
		o.ClientURL = CDN
	}
	if o.Title == "" {
		o.Title = "Fanfare chat"
	}
	return &site{
		policy: policy(o.ClientURL),
		documents: map[string]document{
			"/":            newDocument("text/html; charset=utf-8", render(o)),
			"/style.css":   newDocument("text/css; charset=utf-8", read("style.css")),
			"/chat.js":     newDocument("text/javascript; charset=utf-8", read("chat.js")),
			"/favicon.svg": newDocument("image/svg+xml", read("favicon.svg")),
		},
	}
}

// site is immutable after Handler.
type site struct {
	policy    string
	documents map[string]document // by path
}

type document struct {
	kind string // Content-Type
	etag string
	body []byte
}

func newDocument(kind string, body []byte) document {
	sum := sha256.Sum256(body)
	return document{kind: kind, etag: `"` + hex.EncodeToString(sum[:8]) + `"`, body: body}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", s.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	d, found := s.documents[r.URL.Path]
	switch {
	case !found:
		http.NotFound(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	default:
		h.Set("Content-Type", d.kind)
		h.Set("ETag", d.etag)
		// The names carry no version, so a browser asks each time and is told 304 until the program changes.
		h.Set("Cache-Control", "no-cache")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.body))
	}
}

// policy is the Content-Security-Policy: scripts of this host and of the client's, no inline code, connections back
// to this host. Where 'self' does not cover WebSockets (Safari before 15.4), "ws: wss:" does.
func policy(clientURL string) string {
	scripts := "script-src 'self'"
	if u, err := url.Parse(clientURL); err == nil && u.Scheme != "" && u.Host != "" {
		scripts += " " + u.Scheme + "://" + u.Host
	}
	return strings.Join([]string{
		"default-src 'none'", scripts, "style-src 'self'", "img-src 'self'", "connect-src 'self' ws: wss:",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	}, "; ")
}

func render(o Options) []byte {
	var client struct {
		Title, ClientURL string
		Integrity        template.HTMLAttr
	}
	client.Title, client.ClientURL = o.Title, o.ClientURL
	if o.ClientURL == CDN {
		client.Integrity = `integrity="` + CDNIntegrity + `" crossorigin="anonymous"`
	}
	var out bytes.Buffer
	index := template.Must(template.ParseFS(files, "index.html"))
	if err := index.Execute(&out, client); err != nil {
		panic("page: index.html: " + err.Error()) // the template is part of the program, as is what it is given
	}
	return out.Bytes()
}

func read(name string) []byte {
	body, err := files.ReadFile(name)
	if err != nil {
		panic("page: " + err.Error()) // embedded above
	}
	return body
}
