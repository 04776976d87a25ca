package fleet

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSequenceTellsLostDoubledAndDisordered(t *testing.T) {
	for name, c := range map[string]struct {
		numbers []uint32
		end     uint32
		want    Counts
		lost    uint64
	}{
		"all in order":              {[]uint32{0, 1, 2, 3}, 4, Counts{Delivered: 4}, 0},
		"nothing came":              {nil, 3, Counts{}, 3},
		"the last is lost":          {[]uint32{0, 1}, 3, Counts{Delivered: 2}, 1},
		"one in between is lost":    {[]uint32{0, 2, 3}, 4, Counts{Delivered: 3}, 1},
		"the first are lost":        {[]uint32{3}, 4, Counts{Delivered: 1}, 3},
		"one came twice at once":    {[]uint32{0, 0, 1}, 2, Counts{Delivered: 2, Doubled: 1}, 0},
		"one came twice, late":      {[]uint32{0, 1, 2, 0}, 3, Counts{Delivered: 3, Doubled: 1}, 0},
		"two changed places":        {[]uint32{0, 2, 1, 3}, 4, Counts{Delivered: 4, Disordered: 1}, 0},
		"late and then twice":       {[]uint32{1, 0, 0}, 2, Counts{Delivered: 2, Disordered: 1, Doubled: 1}, 0},
		"a number that nobody sent": {[]uint32{0, 99_999_999, 1}, 2, Counts{Delivered: 2, Disordered: 1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var s sequence
			var got Counts
			for _, n := range c.numbers {
				s.take(n, &got)
			}
			if got != c.want || s.lost(c.end) != c.lost {
				t.Fatalf("%+v and %d lost, want %+v and %d", got, s.lost(c.end), c.want, c.lost)
			}
		})
	}
}

// A set of what was seen, and the largest of it, say the same as sequence.
func TestSequenceAgreesWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOf(rapid.Uint32Range(0, 20)).Draw(t, "numbers")
		var s sequence
		var got, want Counts
		seen, most := map[uint32]bool{}, int64(-1)
		for _, n := range numbers {
			switch {
			case seen[n]:
				want.Doubled++
			case int64(n) < most:
				want.Disordered++
				fallthrough
			default:
				want.Delivered++
			}
			first := !seen[n]
			seen[n], most = true, max(most, int64(n))
			if s.take(n, &got) != first {
				t.Fatalf("%d is new: %v", n, !first)
			}
		}
		const end = 25
		if lost := uint64(end - len(seen)); got != want || s.lost(end) != lost {
			t.Fatalf("%+v and %d lost, want %+v and %d", got, s.lost(end), want, lost)
		}
	})
}
