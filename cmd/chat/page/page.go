package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// The official client on Socket.IO's CDN, as the "Client Installation" page of its documentation names it.
const (
	CDN          = "https://cdn.socket.io/4.8.1/socket.io.min.js"
	CDNIntegrity = "sha384-mkQ3/7FUtcGyoppY6bz/PORYoGqOl7/aSUMn2ymDOJcapfS6PHqxhRTMh1RR0Q6+"
)

//go:embed index.html *.css *.js favicon.svg
var files embed.FS

// Options say how the page presents itself. The zero value loads the client from the CDN.
type Options struct {
	// ClientURL is where the page loads the official client from: "/socket.io/socket.io.min.js" where the server has
	// the npm package's files, or a URL of another host. Default: CDN, then with CDNIntegrity.
	ClientURL string

	// Servers are other origins that the page may talk to, where its address asks for one with ?server=, such as
	// "https://chat.example.com". Default: none but its own.
	Servers []string

	// Title stands in the browser's tab and above the messages. Default: "Fanfare chat".
	Title string
}

// Handler serves the page at "/" and its files beside it; every other path is a 404. The handler is safe for
// concurrent use.
func Handler(o Options) http.Handler {
	if o.ClientURL == "" {
		o.ClientURL = CDN
	}
	if o.Title == "" {
		o.Title = "Fanfare chat"
	}
	s := &site{policy: policy(&o), documents: map[string]document{"/": newDocument(".html", render(&o))}}
	names, err := fs.Glob(files, "*.[cj]*s")
	if err != nil {
		panic("page: " + err.Error()) // the pattern is right
	}
	for _, name := range append(names, "favicon.svg") {
		s.documents["/"+name] = newDocument(path.Ext(name), read(name))
	}
	return s
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

// kinds are the Content-Types, by the ends of names.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

func newDocument(ext string, body []byte) document {
	sum := sha256.Sum256(body)
	return document{kind: kinds[ext], etag: `"` + hex.EncodeToString(sum[:8]) + `"`, body: body}
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
// to this host and to the servers that are named. 'self' covers WebSockets but in Safari before 15.4, where the client
// stays with polling.
func policy(o *Options) string {
	scripts, connections := "script-src 'self'", "connect-src 'self'"
	if u, err := url.Parse(o.ClientURL); err == nil && u.Scheme != "" && u.Host != "" {
		scripts += " " + u.Scheme + "://" + u.Host
	}
	for _, origin := range o.Servers {
		connections += " " + origin + " ws" + strings.TrimPrefix(origin, "http")
	}
	return strings.Join([]string{
		"default-src 'none'", scripts, "style-src 'self'", "img-src 'self'", connections,
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
	}, "; ")
}

func render(o *Options) []byte {
	var client struct {
		Title, ClientURL, Servers string
		Integrity                 template.HTMLAttr
	}
	client.Title, client.ClientURL, client.Servers = o.Title, o.ClientURL, strings.Join(o.Servers, " ")
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
