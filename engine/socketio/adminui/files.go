package adminui

import (
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// policy is the Content-Security-Policy of the page: its own scripts, connections to
// where it came from, and the styles and fonts that version 0.5.1 loads from elsewhere.
// Vuetify writes styles into the page.
const policy = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"style-src 'self' 'unsafe-inline' https://fonts.googleapis.com https://cdn.jsdelivr.net; " +
	"font-src 'self' https://fonts.gstatic.com https://cdn.jsdelivr.net; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Files serves the page: fsys is the folder ui/dist of the npm package
// @socket.io/admin-ui. It answers GET and HEAD below "/", so strip the prefix it is
// mounted at, which ends with a slash. Whoever serves it from Socket.IO's own port need
// allow no other origin.
func Files(fsys fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		if name == "" {
			name = "index.html"
		}
		if info, err := fs.Stat(fsys, name); err != nil || !info.Mode().IsRegular() {
			http.NotFound(w, r)
			return
		}
		serve(w, r, fsys, name)
	})
}

// serve is http.ServeFileFS without its redirect of index.html.
func serve(w http.ResponseWriter, r *http.Request, fsys fs.FS, name string) {
	if path.Base(name) == "index.html" {
		r = r.Clone(r.Context())
		r.URL.Path = "/"
	}
	http.ServeFileFS(w, r, fsys, name)
}
