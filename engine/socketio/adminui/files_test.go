package adminui_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
)

func TestFilesServesThePageAndNothingElse(t *testing.T) {
	files := fstest.MapFS{"index.html": {Data: []byte("<p>page")}, "js/app.js": {Data: []byte("0")}}
	h := http.StripPrefix("/admin", adminui.Files(files))
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/admin/": {200, "<p>page"}, "/admin/index.html": {200, "<p>page"}, "/admin/js/app.js": {200, "0"}, "/admin/js/": {404, ""}, "/admin/js": {404, ""},
		"/admin/nothing": {404, ""}, "/admin/../files_test.go": {404, ""}, "/admin/js/../../x": {404, ""}, "/admin//": {200, "<p>page"},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != want.status || want.body != "" && w.Body.String() != want.body {
			t.Errorf("%s: %d %q", path, w.Code, w.Body)
		}
		if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "script-src 'self';") {
			t.Errorf("%s: policy %q", path, p)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/admin/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
