package history

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestIDsIncreaseWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		var i ids
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		if rapid.Bool().Draw(r, "restart") {
			i.past(oldest(now.Add(time.Hour))) // what is stored is from the future
		}
		last := i.last.String()
		for range 300 {
			now = now.Add(time.Duration(rapid.IntRange(-5, 5).Draw(r, "ms")) * time.Millisecond)
			var m Message
			i.stamp(&m, now)
			if m.ID <= last || len(m.ID) != 26 {
				r.Fatalf("%s after %s", m.ID, last)
			}
			if m.At.UnixMilli() < now.UnixMilli() {
				r.Fatalf("at %v, said at %v", m.At, now)
			}
			last = m.ID
		}
	})
}

func TestIDsCarryIntoTheTime(t *testing.T) {
	t.Parallel()
	var i ids
	now := time.UnixMilli(1_700_000_000_000)
	i.next(now)
	for b := 6; b < 16; b++ {
		i.last[b] = 0xff
	}
	before := i.last
	if id := i.next(now); id.Compare(before) <= 0 || id.Time() != before.Time()+1 {
		t.Errorf("%v after %v", id, before)
	}
}

func TestOtherIDsAreRefused(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"x", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAVX", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01ARZ3NDEKTSV4RRFFQ69G5FA!", "'; DROP TABLE"} {
		if got, err := canonical(id); err == nil {
			t.Errorf("%q is taken for %q", id, got)
		}
	}
	if got, err := canonical("01arz3ndektsv4rrffq69g5fav"); err != nil || got != "01ARZ3NDEKTSV4RRFFQ69G5FAV" {
		t.Errorf("lower case: %q, %v", got, err)
	}
}
