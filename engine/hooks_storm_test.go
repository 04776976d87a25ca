package engine_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// A crowd of clients, of which some vanish, some pipeline and some are refused, meets
// hooks that hesitate, refuse, panic and end their goroutines, and a queue too short for
// all. Whoever stays is answered, and nothing is left of the others.
func TestAStormThroughHooks(t *testing.T) {
	hesitate := func() {
		for range rand.IntN(50) {
			runtime.Gosched()
		}
	}
	allow := func(ctx context.Context, _ *http.Request) error {
		hesitate()
		switch rand.IntN(8) {
		case 0:
			return errNo
		case 1:
			panic("bomb")
		case 2:
			runtime.Goexit()
		case 3:
			runtime.Gosched()
			return ctx.Err()
		}
		return nil
	}
	f := startFacts(t, engine.Options{
		MaxHooks: 4, MaxParked: 8, AllowRequest: allow,
		GenerateID: func(*http.Request) (string, error) {
			hesitate()
			return string(rune('a' + rand.IntN(26))), nil // often taken
		},
	})
	f.srv.Use(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hesitate()
			next.ServeHTTP(w, r)
		})
	})
	const clients, rounds = 32, 20
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			for range rounds {
				oneClient(t, f)
			}
		})
	}
	wg.Wait()
	until(t, "nobody is parked", func() bool { return f.srv.Stats().Parked == 0 })
	for sid := range f.sessionIDs() { // those that were opened
		c := f.dial()
		_ = c.do("POST", pollURL+"&sid="+sid, "1")
	}
	st := f.srv.Stats()
	t.Logf("%d opened, %v refused, %d unjudged, %d panics", st.Opened, st.Rejected, st.Unjudged, st.Panics)
	if st.Opened == 0 || st.Rejected["Forbidden"] == 0 || st.Unjudged == 0 || st.Panics == 0 {
		t.Errorf("the storm missed something")
	}
}

// oneClient makes a request and checks its answer, if it waits for one.
func oneClient(t *testing.T, f *fixture) {
	c := f.dial()
	defer func() { _ = c.Close() }()
	target, header := pollURL, "X-No: upgrade"
	upgrade := rand.IntN(3) == 0
	if upgrade {
		target, header = wsURL, wsHeader
	}
	c.request("GET", target, "", header)
	if !upgrade && rand.IntN(3) == 0 {
		c.request("GET", "/socket.io/?transport=x", "") // behind it
	}
	switch rand.IntN(4) {
	case 0:
		c.reset()
		return
	case 1:
		return
	}
	r, err := http.ReadResponse(c.br, &http.Request{Method: "GET"})
	if err != nil {
		t.Errorf("no answer: %v", err)
		return
	}
	switch r.StatusCode {
	case 101, 200, 400, 403, 503:
	default:
		t.Errorf("%s", r.Status)
	}
}

// sessionIDs are those the server has accepted.
func (f *fixture) sessionIDs() map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := make(map[string]bool)
	for _, r := range f.all {
		ids[r.s.ID()] = true
	}
	return ids
}
