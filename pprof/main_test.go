package pprof_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"

	"github.com/fanfare-go/fanfare/pprof"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start makes a Server that logs nothing unless told otherwise.
func start(t *testing.T, o pprof.Options) *pprof.Server {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := pprof.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// get asks the handler directly.
func get(s *pprof.Server, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}
