package fleet

// maxGap is the widest gap in a connection's numbers that is taken for a loss; a
// number further ahead is one that nobody sent.
const maxGap = 1 << 20

// Counts is what a fleet's connections have received: each number counts as
// delivered once.
type Counts struct {
	Delivered, Doubled, Disordered uint64
}

// sequence is what one connection knows of the numbers 0, 1, 2, … that it must
// receive: 16 bytes.
type sequence struct {
	next    uint32
	missing map[uint32]struct{} // below next and not seen; nil until something is skipped
}

// take counts a number that has arrived, and reports whether it is the first time.
func (s *sequence) take(n uint32, c *Counts) (first bool) {
	if n == s.next {
		s.next++
		c.Delivered++
		return true
	}
	return s.takeOther(n, c)
}

// takeOther: a number ahead leaves a gap. One from a gap came after its successor,
// any other came before.
func (s *sequence) takeOther(n uint32, c *Counts) (first bool) {
	if n > s.next {
		if n-s.next > maxGap {
			c.Disordered++
			return false
		}
		if s.missing == nil {
			s.missing = map[uint32]struct{}{}
		}
		for ; s.next < n; s.next++ {
			s.missing[s.next] = struct{}{}
		}
		s.next++
		c.Delivered++
		return true
	}
	if _, ok := s.missing[n]; !ok {
		c.Doubled++
		return false
	}
	delete(s.missing, n)
	c.Delivered++
	c.Disordered++
	return true
}

// lost is how many of the numbers below end have not come.
func (s *sequence) lost(end uint32) uint64 {
	lost := uint64(len(s.missing))
	if end > s.next {
		lost += uint64(end - s.next)
	}
	return lost
}
