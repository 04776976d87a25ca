package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// stuckAfter is how long a loop may owe a turn before the program should be restarted.
const stuckAfter = 10 * time.Second

// checkedWithin is how long somebody who has asked for readiness counts as one who will
// ask again. Load balancers ask every second or few.
const checkedWithin = 30 * time.Second

// readyPath is where a load balancer asks, on the port that it sends clients to.
const readyPath = "/readyz"

var (
	errStuck    = errors.New("an event loop does not answer")
	errStopping = errors.New("the server is stopping")
)

// readiness is whether new clients may come. Safe for concurrent use once server is set.
type readiness struct {
	server   *socketio.Server // immutable once it listens
	fleet    fleet            // likewise; nil for a server that is alone
	born     time.Time        // immutable
	stopping atomic.Bool
	asked    atomic.Int64 // since born, the last time somebody wanted to know; ns, 0 means never
}

func newReadiness() *readiness { return &readiness{born: time.Now()} }

// check answers the admin address.
func (r *readiness) check() error {
	r.asked.Store(int64(time.Since(r.born)))
	return r.state()
}

func (r *readiness) state() error {
	st := r.server.Stats().Engine
	if r.stopping.Load() || st.Emptying {
		return errStopping
	}
	return live(st)
}

// clusterState is for those who ask. A server without its cluster still serves its own clients, so it stays ready: were
// all of them to say no because a broker is away, nobody would be served.
func clusterState(f fleet) string {
	if f.Ready() != nil { // in words that are the log's, since they may name other machines
		return "degraded"
	}
	return "ok"
}

// isChecked reports that somebody has asked lately, and will notice a change.
func (r *readiness) isChecked() bool {
	at := r.asked.Load()
	return at > 0 && time.Since(r.born)-time.Duration(at) < checkedWithin
}

// ServeHTTP answers whoever routes clients here. While the program stops that is 404,
// not 503: HAProxy (http-check disable-on-404) then sends no new clients, and goes on
// with those who are here, which everybody else who checks can take for "not ready".
func (r *readiness) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "405 method not allowed", http.StatusMethodNotAllowed)
		return
	}
	status, body := http.StatusOK, map[string]string{"status": "ok"}
	switch err := r.check(); {
	case errors.Is(err, errStopping):
		status, body = http.StatusNotFound, map[string]string{"status": "stopping"}
	case err != nil:
		status, body = http.StatusServiceUnavailable, map[string]string{"status": "stuck"}
	}
	if r.fleet != nil {
		body["cluster"] = clusterState(r.fleet)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails when the client is gone only
}

// before has readyPath answered here, and everything else by next.
func (r *readiness) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == readyPath {
			r.ServeHTTP(w, q)
			return
		}
		next.ServeHTTP(w, q)
	})
}

// live reports a loop that is stuck.
func live(st engine.Stats) error {
	if st.LoopLag > stuckAfter {
		return fmt.Errorf("%w: %v behind", errStuck, st.LoopLag)
	}
	return nil
}
