package cluster

// frontier is up to where all numbers have been dealt with. Those beyond it are
// remembered as far as they are in one row, from its first to its last: failures come
// in rows.
type frontier struct {
	upTo        uint64
	first, last uint64 // 0 for none
}

// reach deals with all numbers up to n.
func (f *frontier) reach(n uint64) {
	f.upTo = max(f.upTo, n)
	f.merge()
}

// add deals with n alone.
func (f *frontier) add(n uint64) {
	switch {
	case n <= f.upTo:
		return
	case f.first > 0 && n == f.last+1:
		f.last = n
	case n > f.last:
		f.first, f.last = n, n
	}
	f.merge()
}

func (f *frontier) merge() {
	if f.first > 0 && f.first <= f.upTo+1 {
		f.upTo = max(f.upTo, f.last)
		f.first, f.last = 0, 0
	}
}
