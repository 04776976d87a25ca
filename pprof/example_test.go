package pprof_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"github.com/fanfare-go/fanfare/pprof"
)

// A program offers its numbers and runs the server until it ends.
func Example() {
	var sessions atomic.Int64
	s, err := pprof.New(pprof.Options{
		Addr: "127.0.0.1:0",
		Metrics: []pprof.Metric{{
			Name: "fanfare_sessions", Help: "Open sessions.", Kind: pprof.Gauge,
			Read: func(emit func(label string, value float64)) { emit("", float64(sessions.Load())) },
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error)
	go func() { done <- s.Serve(ctx) }()

	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	fmt.Print(w.Body)

	cancel()
	fmt.Println(<-done)
	// Output:
	// {"status":"ok"}
	// <nil>
}
