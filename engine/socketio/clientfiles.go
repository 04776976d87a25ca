package socketio

import (
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
)

// clientFiles serves the browser client below the server's path, and everything
// else with the application's handler. Node: serveClient.
type clientFiles struct {
	prefix string // of the files' paths, with its slash
	files  fs.FS
	cors   CORS
	next   http.Handler
}

// clientFileNames are the files that Node serves, and the only ones.
var clientFileNames = []string{
	"socket.io.js", "socket.io.js.map",
	"socket.io.min.js", "socket.io.min.js.map",
	"socket.io.esm.min.js", "socket.io.esm.min.js.map",
	"socket.io.msgpack.min.js", "socket.io.msgpack.min.js.map",
}

func newClientFiles(o *Options) *clientFiles {
	c := &clientFiles{prefix: "/" + strings.Trim(o.Path, "/") + "/", files: o.ClientFiles, cors: o.CORS, next: o.Handler}
	if c.next == nil {
		c.next = http.NotFoundHandler()
	}
	return c
}

// has reports whether the path is one of the client's files.
func (c *clientFiles) has(p string) bool {
	name, ok := strings.CutPrefix(p, c.prefix)
	return ok && slices.Contains(clientFileNames, name)
}

func (c *clientFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !c.has(r.URL.Path) {
		c.next.ServeHTTP(w, r)
		return
	}
	name := path.Base(r.URL.Path)
	h := w.Header()
	h.Set("Content-Type", "application/javascript; charset=utf-8")
	if strings.HasSuffix(name, ".map") {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	h.Set("Cache-Control", "public, max-age=0")
	c.allow(h, r.Header.Get("Origin"))
	http.ServeFileFS(w, r, c.files, name)
}

// allow lets pages of the allowed origins load the files as modules.
func (c *clientFiles) allow(h http.Header, origin string) {
	switch {
	case slices.Contains(c.cors.Origins, "*"):
		h.Set("Access-Control-Allow-Origin", "*")
	case origin != "" && slices.Contains(c.cors.Origins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
		h.Add("Vary", "Origin")
	}
}
