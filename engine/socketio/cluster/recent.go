package cluster

import (
	"sync"
	"time"
)

// recent remembers PIDs for a while, each with the latest time that it was added: for
// longer than messages about them are on their way. Its zero value is empty. Safe for
// concurrent use.
type recent struct {
	mu    sync.Mutex
	at    map[string]int64 // ns; guarded by mu
	order []recentPID      // oldest first; guarded by mu
}

type recentPID struct {
	pid string
	at  int64
}

// recentStay is for how long, and maxRecent how many.
const (
	recentStay = 10 * time.Second
	maxRecent  = 16_384
)

func (r *recent) add(pid string) {
	now := time.Now().UnixNano()
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(r.order) && (r.order[n].at < now-int64(recentStay) || len(r.order)-n >= maxRecent) {
		if o := r.order[n]; r.at[o.pid] == o.at {
			delete(r.at, o.pid)
		}
		n++
	}
	r.order = append(r.order[n:], recentPID{pid, now})
	if r.at == nil {
		r.at = make(map[string]int64)
	}
	r.at[pid] = now
}

// of returns when a PID was added, in ns; 0 if it was not, or long ago.
func (r *recent) of(pid string) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at[pid]
}

func (r *recent) forget(pid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.at, pid)
}
