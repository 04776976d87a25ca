package page_test

import (
	"crypto/sha512"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/page"
)

func ask(t *testing.T, o page.Options, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	page.Handler(o).ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestHandlerServesItsDocuments(t *testing.T) {
	for path, kind := range map[string]string{
		"/":                   "text/html; charset=utf-8",
		"/style.css":          "text/css; charset=utf-8",
		"/panels.css":         "text/css; charset=utf-8",
		"/chat.js":            "text/javascript; charset=utf-8",
		"/connection.js":      "text/javascript; charset=utf-8",
		"/favicon.svg":        "image/svg+xml",
		"/?transport=polling": "text/html; charset=utf-8",
	} {
		t.Run(path, func(t *testing.T) {
			got, body := ask(t, page.Options{}, http.MethodGet, path)
			if got.StatusCode != http.StatusOK || body == "" {
				t.Fatalf("status %d, %d bytes", got.StatusCode, len(body))
			}
			for name, want := range map[string]string{
				"Content-Type":           kind,
				"X-Content-Type-Options": "nosniff",
				"Cache-Control":          "no-cache",
				"Referrer-Policy":        "no-referrer",
			} {
				if have := got.Header.Get(name); have != want {
					t.Errorf("%s: %q, want %q", name, have, want)
				}
			}

			head, nothing := ask(t, page.Options{}, http.MethodHead, path)
			if head.StatusCode != http.StatusOK || nothing != "" || head.Header.Get("Content-Length") == "0" {
				t.Errorf("HEAD: status %d, body %q", head.StatusCode, nothing)
			}

			again, nothing := ask(t, page.Options{}, http.MethodGet, path, "If-None-Match", got.Header.Get("ETag"))
			if again.StatusCode != http.StatusNotModified || nothing != "" {
				t.Errorf("with its ETag: status %d, %d bytes", again.StatusCode, len(nothing))
			}
		})
	}
}

func TestHandlerRefusesEverythingElse(t *testing.T) {
	for _, path := range []string{"/index.html", "/page.go", "/..", "/chat.js/", "/socket.io/", "//", "/favicon.ico"} {
		if got, _ := ask(t, page.Options{}, http.MethodGet, path); got.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, got.StatusCode)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		got, _ := ask(t, page.Options{}, method, "/")
		if got.StatusCode != http.StatusMethodNotAllowed || got.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: status %d, Allow %q", method, got.StatusCode, got.Header.Get("Allow"))
		}
	}
}

func TestClientComesFromTheCDNWithIntegrityOrFromTheServer(t *testing.T) {
	for _, from := range []struct {
		name, url, script, allowed string
	}{
		{"default", "",
			`<script defer src="` + page.CDN + `" integrity="` + page.CDNIntegrity + `" crossorigin="anonymous"></script>`,
			"script-src 'self' https://cdn.socket.io;"},
		{"own server", "/socket.io/socket.io.min.js",
			`<script defer src="/socket.io/socket.io.min.js" ></script>`,
			"script-src 'self';"},
		{"another host", "https://static.example:8443/io.js",
			`<script defer src="https://static.example:8443/io.js" ></script>`,
			"script-src 'self' https://static.example:8443;"},
	} {
		t.Run(from.name, func(t *testing.T) {
			got, body := ask(t, page.Options{ClientURL: from.url}, http.MethodGet, "/")
			if !strings.Contains(body, from.script) {
				t.Errorf("no %s in\n%s", from.script, body)
			}
			if policy := got.Header.Get("Content-Security-Policy"); !strings.Contains(policy, from.allowed) {
				t.Errorf("policy %q, want %q in it", policy, from.allowed)
			}
		})
	}
}

func TestPolicyAllowsOnlyWhatThePageNeeds(t *testing.T) {
	got, _ := ask(t, page.Options{}, http.MethodGet, "/")
	const want = "default-src 'none'; script-src 'self' https://cdn.socket.io; style-src 'self'; img-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if policy := got.Header.Get("Content-Security-Policy"); policy != want {
		t.Errorf("policy\n%s\nwant\n%s", policy, want)
	}
}

func TestNothingIsInlineAndMessagesNeverBecomeMarkup(t *testing.T) {
	_, index := ask(t, page.Options{}, http.MethodGet, "/")
	for _, script := range regexp.MustCompile(`(?s)<script([^>]*)>(.*?)</script>`).FindAllStringSubmatch(index, -1) {
		if !strings.Contains(script[1], "src=") || script[2] != "" {
			t.Errorf("inline script: %s", script[0])
		}
	}
	if found := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:`).FindString(index); found != "" {
		t.Errorf("inline code or style: %q", found)
	}
	for name, script := range modules(t) {
		if found := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(`).FindString(script); found != "" {
			t.Errorf("%s uses %s", name, found)
		}
	}
}

// modules returns the scripts of the page: chat.js, and what it imports.
func modules(t *testing.T) map[string]string {
	t.Helper()
	found, left := make(map[string]string), []string{"chat.js"}
	for len(left) > 0 {
		name := left[0]
		left = left[1:]
		if found[name] != "" {
			continue
		}
		got, script := ask(t, page.Options{}, http.MethodGet, "/"+name)
		if got.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d", name, got.StatusCode)
		}
		found[name] = script
		for _, imported := range regexp.MustCompile(`(?m)^import .*"\./(.*)";$`).FindAllStringSubmatch(script, -1) {
			left = append(left, imported[1])
		}
	}
	if len(found) < 10 {
		t.Errorf("only %d modules", len(found))
	}
	return found
}

func TestServersThatAreNamedMayBeTalkedTo(t *testing.T) {
	got, body := ask(t, page.Options{Servers: []string{"http://other.example:8080", "https://chat.example"}}, http.MethodGet, "/")
	const want = "connect-src 'self' http://other.example:8080 ws://other.example:8080 https://chat.example wss://chat.example;"
	if policy := got.Header.Get("Content-Security-Policy"); !strings.Contains(policy, want) {
		t.Errorf("policy %q, want %q in it", policy, want)
	}
	if !strings.Contains(body, `content="http://other.example:8080 https://chat.example"`) {
		t.Errorf("the page does not know them:\n%s", body)
	}
}

func TestTitleIsEscaped(t *testing.T) {
	_, body := ask(t, page.Options{Title: `<b>"us" & them</b>`}, http.MethodGet, "/")
	if strings.Contains(body, "<b>") || !strings.Contains(body, "<title>&lt;b&gt;") {
		t.Errorf("title not escaped:\n%s", body)
	}
}

// The file on the CDN is the one of the npm package, so the package, where installed, vouches for the constant.
func TestIntegrityIsThatOfTheNpmPackage(t *testing.T) {
	const folder = "../../../engine/socketio/clienttest/testdata/node/node_modules/socket.io-client-4.8"
	script, err := os.ReadFile(filepath.Join(folder, "dist", "socket.io.min.js"))
	if err != nil {
		t.Skip("run `npm ci --prefix engine/socketio/clienttest/testdata/node` to compare with the npm package")
	}
	sum := sha512.Sum384(script)
	if got := "sha384-" + base64.StdEncoding.EncodeToString(sum[:]); got != page.CDNIntegrity {
		t.Errorf("integrity %s, want %s", got, page.CDNIntegrity)
	}
}
