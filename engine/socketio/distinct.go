package socketio

import (
	"hash/maphash"
	"sync"
)

// distinct counts different names without keeping them: those whose hash ends in enough
// zero bits stand for all. Up to maxDistinct names the count is exact, beyond it is off by
// some 2 % (Wegman's adaptive sampling). Safe for concurrent use.
type distinct struct {
	mu   sync.Mutex
	seed maphash.Seed
	bits uint                // a name is kept if that many last bits of its hash are 0
	kept map[uint64]struct{} // guarded by mu
}

const maxDistinct = 4096

func newDistinct() *distinct {
	return &distinct{seed: maphash.MakeSeed(), kept: make(map[uint64]struct{})}
}

func (d *distinct) add(name string) {
	hash := maphash.String(d.seed, name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.keeps(hash) {
		return
	}
	d.kept[hash] = struct{}{}
	for len(d.kept) > maxDistinct {
		d.bits++
		for h := range d.kept {
			if !d.keeps(h) {
				delete(d.kept, h)
			}
		}
	}
}

func (d *distinct) keeps(hash uint64) bool { return hash&(1<<d.bits-1) == 0 }

func (d *distinct) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.kept) << d.bits
}
