package redisadapter

import "sync"

// roomSet is the rooms that sockets of this server are in. It is safe for concurrent use,
// with locks of sockets held.
type roomSet struct {
	mu  sync.RWMutex
	set map[string]struct{} // guarded by mu
}

func (r *roomSet) enter(room string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.set == nil {
		r.set = make(map[string]struct{})
	}
	r.set[room] = struct{}{}
}

func (r *roomSet) leave(room string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.set, room)
}

func (r *roomSet) has(room string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.set[room]
	return ok
}
