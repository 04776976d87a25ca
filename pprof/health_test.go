package pprof_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/pprof"
)

func TestHealthReportsTheCheck(t *testing.T) {
	tests := []struct {
		name  string
		check func() error
		code  int
		body  string
	}{
		{"no check", nil, 200, `{"status":"ok"}`},
		{"passes", func() error { return nil }, 200, `{"status":"ok"}`},
		{"fails", func() error { return errors.New(`loop 3 is "gone"`) }, 503, `{"status":"error","error":"loop 3 is \"gone\""}`},
		{"panics", func() error { panic("oops") }, 503, `{"status":"error","error":"pprof: panic: oops"}`},
		{"ends its goroutine", func() error { runtime.Goexit(); return nil }, 503, `{"status":"error","error":"pprof: panic"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			live, ready := start(t, pprof.Options{Live: tt.check}), start(t, pprof.Options{Ready: tt.check})
			for range 2 { // the second time asks anew
				for path, s := range map[string]*pprof.Server{"/healthz": live, "/readyz": ready} {
					w := get(s, path)
					if w.Code != tt.code || strings.TrimSpace(w.Body.String()) != tt.body {
						t.Errorf("%s: %d %s", path, w.Code, w.Body)
					}
					if ct := w.Header().Get("Content-Type"); ct != "application/json" || !json.Valid(w.Body.Bytes()) {
						t.Errorf("%s: not JSON: %s", path, ct)
					}
				}
			}
			if w := get(live, "/readyz"); w.Code != http.StatusOK {
				t.Errorf("the live check decides on readiness: %d", w.Code)
			}
		})
	}
}

func TestAStuckCheckIsReportedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var calls atomic.Int32
		stuck := func() error {
			calls.Add(1)
			<-release
			return nil
		}
		s := start(t, pprof.Options{Live: stuck})
		begin := time.Now()
		for i := range 5 {
			w := get(s, "/healthz")
			if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), pprof.ErrSlow.Error()) {
				t.Errorf("%d: %d %s", i, w.Code, w.Body)
			}
		}
		if waited := time.Since(begin); waited != 5*pprof.Patience {
			t.Errorf("waited %v", waited)
		}
		if w := get(s, "/readyz"); w.Code != http.StatusOK {
			t.Errorf("/readyz: %d", w.Code)
		}
		if w := get(s, "/debug/pprof/goroutine?debug=2"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "TestAStuckCheck") {
			t.Errorf("/debug/pprof/goroutine: %d", w.Code)
		}
		if n := calls.Load(); n != 1 {
			t.Errorf("%d calls are stuck", n)
		}
		close(release)
		synctest.Wait()
		if w := get(s, "/healthz"); w.Code != http.StatusOK || calls.Load() != 2 {
			t.Errorf("afterwards: %d after %d calls", w.Code, calls.Load())
		}
	})
}
