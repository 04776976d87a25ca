package pprof_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"

	admin "github.com/fanfare-go/fanfare/pprof"
)

func TestIndexNamesThePages(t *testing.T) {
	s := start(t, admin.Options{})
	w := get(s, "/")
	for _, path := range []string{"/debug/pprof/", "/metrics", "/healthz", "/readyz"} {
		if !strings.Contains(w.Body.String(), `href="`+path+`"`) {
			t.Errorf("no link to %s", path)
		}
		if p := get(s, path); p.Code != http.StatusOK || p.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, %v", path, p.Code, p.Header())
		}
	}
}

func TestProfilesAreServed(t *testing.T) {
	s := start(t, admin.Options{})
	gzipped := "\x1f\x8b"
	tests := []struct {
		path  string
		code  int
		start string // of the body
	}{
		{"/debug/pprof/", 200, "<!DOCTYPE html>"},
		{"/debug/pprof", 301, ""},
		{"/debug/pprof/goroutine", 200, gzipped},
		{"/debug/pprof/goroutine?debug=1", 200, "goroutine profile: total "},
		{"/debug/pprof/goroutine?debug=2", 200, "goroutine "},
		{"/debug/pprof/heap", 200, gzipped},
		{"/debug/pprof/heap?gc=1&debug=1", 200, "heap profile: "},
		{"/debug/pprof/allocs", 200, gzipped},
		{"/debug/pprof/block", 200, gzipped},
		{"/debug/pprof/mutex", 200, gzipped},
		{"/debug/pprof/threadcreate", 200, gzipped},
		{"/debug/pprof/profile?seconds=0.01", 200, gzipped},
		{"/debug/pprof/trace?seconds=0.01", 200, "go 1."},
		{"/debug/pprof/mutex?seconds=0.01", 200, gzipped},
		{"/debug/pprof/block?seconds=0.01", 200, gzipped},
		{"/debug/pprof/mutex?debug=1", 200, "--- mutex:"},
		{"/debug/pprof/block?seconds=x", 400, "pprof: seconds is a number"},
		{"/debug/pprof/nothing", 404, "pprof: there is no profile"},
		{"/debug/pprof/heap?debug=x", 400, "pprof: debug is a number"},
		{"/debug/pprof/heap?seconds=5", 400, "pprof: debug is a number"},
		{"/debug/pprof/profile?seconds=61", 400, "pprof: seconds is a number"},
		{"/debug/pprof/profile?seconds=0", 400, "pprof: seconds is a number"},
		{"/debug/pprof/profile?seconds=-1", 400, "pprof: seconds is a number"},
		{"/debug/pprof/profile?seconds=NaN", 400, "pprof: seconds is a number"},
		{"/debug/pprof/trace?seconds=1e300", 400, "pprof: seconds is a number"},
		{"/debug/pprof/trace?seconds=x", 400, "pprof: seconds is a number"},
		{"/debug", 404, ""},
		{"/nothing", 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			w := get(s, tt.path)
			if w.Code != tt.code || !strings.HasPrefix(w.Body.String(), tt.start) {
				t.Errorf("%d %.40q", w.Code, w.Body)
			}
		})
	}
}

func TestOnlyReadingIsAllowed(t *testing.T) {
	s := start(t, admin.Options{})
	for _, path := range []string{"/", "/metrics", "/healthz", "/readyz", "/debug/pprof/heap"} {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, w.Code)
		}
	}
}

func TestOneCPUProfileAtATime(t *testing.T) {
	var first bytes.Buffer
	if err := pprof.StartCPUProfile(&first); err != nil {
		t.Skip("the tests themselves are being profiled")
	}
	defer pprof.StopCPUProfile()
	w := get(start(t, admin.Options{}), "/debug/pprof/profile?seconds=0.01")
	if w.Code != http.StatusConflict || w.Header().Get("Content-Disposition") != "" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// A lock that was fought over while the profile was recorded is in it, and the
// recording ends with the request.
func TestTheMutexProfileShowsWhoWaited(t *testing.T) {
	s := start(t, admin.Options{})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				fightOverALock()
			}
		}
	}()
	w := get(s, "/debug/pprof/mutex?seconds=0.2")
	close(stop)
	<-stopped
	if w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	if text := get(s, "/debug/pprof/mutex?debug=1").Body.String(); !strings.Contains(text, "fightOverALock") {
		t.Errorf("not in the profile: %.300s", text)
	}
	if rate := runtime.SetMutexProfileFraction(-1); rate != 0 {
		t.Errorf("still recording, one of %d", rate)
	}
}

func fightOverALock() {
	var mu sync.Mutex
	var all sync.WaitGroup
	rounds := 0
	mu.Lock()
	for range 4 {
		all.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			rounds++
		})
	}
	runtime.Gosched()
	mu.Unlock()
	all.Wait()
}

func TestTheDefaultMuxStaysEmpty(t *testing.T) {
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/profile", "/metrics"} {
		if _, pattern := http.DefaultServeMux.Handler(httptest.NewRequest(http.MethodGet, path, nil)); pattern != "" {
			t.Errorf("%s is served by http.DefaultServeMux as %q", path, pattern)
		}
	}
}
