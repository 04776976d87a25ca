package socketio_test

import (
	"io"
	"net/http"
	"testing"
	"testing/fstest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestClientFiles(t *testing.T) {
	t.Parallel()
	server := socketio.New(quiet(socketio.Options{
		CORS: socketio.CORS{Origins: []string{"https://a.example", "https://b.example"}},
		ClientFiles: fstest.MapFS{
			"socket.io.min.js":     {Data: []byte("code")},
			"socket.io.min.js.map": {Data: []byte("{}")},
			"secret.txt":           {Data: []byte("secret")},
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "app "+r.URL.Path) }),
	}))
	addr := start(t, server)
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, c := range []struct {
		path   string
		status int
		body   string
		kind   string
	}{
		{"/socket.io/socket.io.min.js", 200, "code", "application/javascript; charset=utf-8"},
		{"/socket.io/socket.io.min.js.map", 200, "{}", "application/json; charset=utf-8"},
		{"/socket.io/socket.io.js", 404, "", ""},
		{"/socket.io/secret.txt", 400, "", ""},
		{"/page", 200, "app /page", ""},
	} {
		r, _ := http.NewRequest(http.MethodGet, "http://"+addr+c.path, nil)
		r.Header.Set("Origin", "https://b.example")
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(c.path, err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != c.status || c.body != "" && string(body) != c.body || c.kind != "" && res.Header.Get("Content-Type") != c.kind {
			t.Errorf("%s: %s %q %v", c.path, res.Status, body, res.Header)
		}
		if c.kind != "" && res.Header.Get("Access-Control-Allow-Origin") != "https://b.example" {
			t.Errorf("%s: %v", c.path, res.Header)
		}
	}
}

// fetch asks for a client file, without help from the Go client.
func fetch(t *testing.T, addr, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r, _ := http.NewRequest(method, "http://"+addr+path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

// Client files are asked for again with every page: 304 is what they get then, until the
// file changes.
func TestClientFilesHaveETags(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"socket.io.js": {Data: []byte("code"), ModTime: time.Unix(1e9, 0)}}
	addr := start(t, socketio.New(quiet(socketio.Options{ClientFiles: files})))
	const path = "/socket.io/socket.io.js"
	r, body := fetch(t, addr, "GET", path)
	tag := r.Header.Get("ETag")
	if r.StatusCode != 200 || body != "code" || tag == "" || r.Header.Get("Cache-Control") != "public, max-age=0" {
		t.Fatalf("%s %q %v", r.Status, body, r.Header)
	}
	for _, match := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		if r, body := fetch(t, addr, "GET", path, "If-None-Match", match); r.StatusCode != 304 || body != "" {
			t.Errorf("If-None-Match %s: %s %q", match, r.Status, body)
		}
	}
	if r, _ := fetch(t, addr, "GET", path, "If-None-Match", `"other"`); r.StatusCode != 200 {
		t.Errorf("another version: %s", r.Status)
	}
	if r, body := fetch(t, addr, "HEAD", path); r.StatusCode != 200 || body != "" || r.ContentLength != 4 {
		t.Errorf("HEAD: %s %q %d", r.Status, body, r.ContentLength)
	}
	if r, _ := fetch(t, addr, "GET", path, "Origin", "http://a.example"); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("CORS is off: %v", r.Header)
	}
}

func TestClientFilesThatAreCompressed(t *testing.T) {
	t.Parallel()
	addr := start(t, socketio.New(quiet(socketio.Options{ClientFiles: fstest.MapFS{
		"socket.io.js": {Data: []byte("code")}, "socket.io.js.br": {Data: []byte("brotli")}, "socket.io.js.gz": {Data: []byte("gzip")},
		"socket.io.min.js": {Data: []byte("min")}, "socket.io.min.js.gz": {Data: []byte("mingz")},
	}})))
	tags := make(map[string]bool)
	for _, tt := range []struct{ path, accept, encoding, body string }{
		{"socket.io.js", "", "", "code"},
		{"socket.io.js", "gzip, deflate, br", "br", "brotli"},
		{"socket.io.js", "gzip;q=0.5, br;q=0", "gzip", "gzip"},
		{"socket.io.js", "deflate, zstd, gzip;q=0, br;q=nonsense", "", "code"},
		{"socket.io.min.js", "br, GZIP", "gzip", "mingz"},
		{"socket.io.min.js", "br", "", "min"},
	} {
		header := []string{"Accept-Encoding", tt.accept}
		if tt.accept == "" {
			header = nil
		}
		r, body := fetch(t, addr, "GET", "/socket.io/"+tt.path, header...)
		if r.StatusCode != 200 || body != tt.body || r.Header.Get("Content-Encoding") != tt.encoding || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s for %q: %s %q %v", tt.path, tt.accept, r.Status, body, r.Header)
		}
		if r.Header.Get("Content-Type") != "application/javascript; charset=utf-8" {
			t.Errorf("%s: %v", tt.path, r.Header)
		}
		tags[r.Header.Get("ETag")] = true
	}
	if len(tags) != 5 { // each form has its own
		t.Errorf("ETags: %v", tags)
	}
	if r, _ := fetch(t, addr, "GET", "/socket.io/socket.io.js.br"); r.StatusCode != 400 { // not a file of the client's
		t.Errorf("%s", r.Status)
	}
}

// Pages of other origins load the files as modules, under the rules of everything else.
func TestClientFilesForOtherOrigins(t *testing.T) {
	t.Parallel()
	addr := start(t, socketio.New(quiet(socketio.Options{
		ClientFiles: fstest.MapFS{"socket.io.esm.min.js": {Data: []byte("code")}},
		CORS:        socketio.CORS{Origins: []string{"http://a.example"}, Credentials: true},
	})))
	const path = "/socket.io/socket.io.esm.min.js"
	r, _ := fetch(t, addr, "GET", path, "Origin", "http://a.example")
	if r.Header.Get("Access-Control-Allow-Origin") != "http://a.example" || r.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("%v", r.Header)
	}
	r, _ = fetch(t, addr, "OPTIONS", path, "Origin", "http://a.example", "Access-Control-Request-Method", "GET")
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Methods") == "" {
		t.Errorf("preflight: %s %v", r.Status, r.Header)
	}
}
