package socketio

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// clientFiles serves the browser client below the server's path, and everything
// else with the application's handler. Node: serveClient.
type clientFiles struct {
	prefix string // of the files' paths, with its slash
	files  fs.FS
	serve  atomic.Pointer[http.Handler] // the files, to other origins too
	next   http.Handler

	mu   sync.Mutex
	tags map[string]fileTag // guarded by mu; by name, of files that were asked for
}

// fileTag is the ETag of a file as it was.
type fileTag struct {
	modified time.Time
	size     int64
	etag     string
}

// clientFileNames are the files that Node serves, and the only ones.
var clientFileNames = []string{
	"socket.io.js", "socket.io.js.map",
	"socket.io.min.js", "socket.io.min.js.map",
	"socket.io.esm.min.js", "socket.io.esm.min.js.map",
	"socket.io.msgpack.min.js", "socket.io.msgpack.min.js.map",
}

// precompressed are the encodings that files may be there in, best first.
var precompressed = []struct{ encoding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

func newClientFiles(o *Options) *clientFiles {
	c := &clientFiles{
		prefix: strings.TrimSuffix("/"+strings.Trim(o.Path, "/"), "/") + "/",
		files:  o.ClientFiles, next: o.Handler, tags: make(map[string]fileTag),
	}
	c.setCORS(o.CORS)
	if c.next == nil {
		c.next = http.NotFoundHandler()
	}
	return c
}

func (c *clientFiles) setCORS(k CORS) {
	h := k.Wrap(http.HandlerFunc(c.serveFile))
	c.serve.Store(&h)
}

// has reports whether the path is one of the client's files.
func (c *clientFiles) has(p string) bool {
	name, ok := strings.CutPrefix(p, c.prefix)
	return ok && slices.Contains(clientFileNames, name)
}

func (c *clientFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if c.has(r.URL.Path) {
		(*c.serve.Load()).ServeHTTP(w, r)
	} else {
		c.next.ServeHTTP(w, r)
	}
}

// serveFile sends a file in the best form that is there and the client takes.
func (c *clientFiles) serveFile(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, c.prefix)
	encoding, variant, content, info := c.choose(name, r.Header.Get("Accept-Encoding"))
	if content == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/javascript; charset=utf-8")
	if strings.HasSuffix(name, ".map") {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	h.Set("Cache-Control", "public, max-age=0")
	h.Set("ETag", c.etag(variant, content, info))
	h.Add("Vary", "Accept-Encoding")
	if encoding != "" {
		h.Set("Content-Encoding", encoding)
	}
	http.ServeContent(w, r, name, info.ModTime(), bytes.NewReader(content)) // 304 and ranges are its doing
}

// choose reads the file in the form to send; content is nil where there is none.
func (c *clientFiles) choose(name, accept string) (encoding, variant string, content []byte, info fs.FileInfo) {
	for _, p := range precompressed {
		if accepts(accept, p.encoding) {
			if content, info := c.read(name + p.suffix); content != nil {
				return p.encoding, name + p.suffix, content, info
			}
		}
	}
	content, info = c.read(name)
	return "", name, content, info
}

func (c *clientFiles) read(name string) (content []byte, info fs.FileInfo) {
	info, err := fs.Stat(c.files, name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	content, err = fs.ReadFile(c.files, name)
	if err != nil || content == nil {
		return nil, nil
	}
	return content, info
}

// etag is made of the content, once for as long as the file looks the same. (Node's is the
// version of the package, which nobody knows here.)
func (c *clientFiles) etag(name string, content []byte, info fs.FileInfo) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.tags[name]
	if !ok || !t.modified.Equal(info.ModTime()) || t.size != info.Size() {
		sum := sha256.Sum256(content)
		t = fileTag{info.ModTime(), info.Size(), `"` + hex.EncodeToString(sum[:16]) + `"`}
		c.tags[name] = t
	}
	return t.etag
}

// accepts reports whether an Accept-Encoding lets the encoding be used (RFC 9110 section
// 12.5.3); one that names everything ("*") does not ask for it.
func accepts(header, encoding string) bool {
	for element := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(element, ";")
		if !strings.EqualFold(strings.TrimSpace(name), encoding) {
			continue
		}
		q, ok := strings.CutPrefix(strings.TrimSpace(weight), "q=")
		v, err := strconv.ParseFloat(q, 32)
		return !ok || err == nil && v > 0
	}
	return false
}
