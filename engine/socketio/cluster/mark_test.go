package cluster

import (
	"context"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// letters is a Log whose offsets are words.
type letters struct{}

func (letters) Valid(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
func (letters) Compare(a, b string) int                                         { return strings.Compare(a, b) }
func (letters) Range(context.Context, string, string, func(Entry) bool) error   { return nil }
func (letters) PutSession(context.Context, *Session, time.Duration) error       { return nil }
func (letters) TakeSession(_ context.Context, _ string) (s *Session, err error) { return nil, nil }

// What a client shows is either no mark, or is written as it was read but for zeros.
func FuzzParseMark(f *testing.F) {
	for _, s := range []string{"a", "1700000000000-5", "1-0.0123456789abcdef.z", "a..", ".a.1", "a.b.c.d", "a.u.zzzzzzzzzzzzz", "a.u.007", strings.Repeat("a", 31)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, ok := parseMark(letters{}, s)
		if !ok {
			return
		}
		text := m.String()
		again, ok := parseMark(letters{}, text)
		if !ok || again != m || len(text) > 64 {
			t.Errorf("%q is %+v, written %q", s, m, text)
		}
	})
}

// A frontier is where all numbers up to it have been dealt with; it may know less where
// failures are scattered, never more.
func TestFrontier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f frontier
		done := map[uint64]bool{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			n := rapid.Uint64Range(1, 20).Draw(t, "n")
			if rapid.Bool().Draw(t, "reach") {
				f.reach(n)
				for i := range n + 1 {
					done[i] = true
				}
			} else {
				f.add(n)
				done[n] = true
			}
			for i := uint64(1); i <= f.upTo; i++ {
				if !done[i] {
					t.Fatalf("%d has not been dealt with, %+v", i, f)
				}
			}
		}
	})
}
