package adminui

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

// Store keeps the sessions of admins who have logged in: on every server of a cluster
// the same one, where a reconnecting admin may meet another server. Methods may block
// until ctx is done, and are called concurrently. Node: Store.
type Store interface {
	// Has reports whether Save was called with id, and not too long ago.
	Has(ctx context.Context, id string) (bool, error)
	// Save keeps id, a secret.
	Save(ctx context.Context, id string) error
}

// memoryStore is the default Store: the latest sessions of this server. It knows their
// digests, not the ids.
type memoryStore struct {
	max int           // immutable
	ttl time.Duration // immutable

	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time // guarded by mu
	order [][sha256.Size]byte             // oldest first; guarded by mu
}

func newMemoryStore(n int, ttl time.Duration) *memoryStore {
	return &memoryStore{max: n, ttl: ttl, until: make(map[[sha256.Size]byte]time.Time)}
}

// Has implements Store.
func (m *memoryStore) Has(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Before(m.until[sha256.Sum256([]byte(id))]), nil
}

// Save implements Store.
func (m *memoryStore) Save(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for len(m.order) > 0 && (len(m.order) >= m.max || !now.Before(m.until[m.order[0]])) {
		delete(m.until, m.order[0])
		m.order = m.order[1:]
	}
	key := sha256.Sum256([]byte(id))
	m.until[key] = now.Add(m.ttl)
	m.order = append(m.order, key)
	return nil
}
