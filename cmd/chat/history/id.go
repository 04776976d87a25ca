package history

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/oklog/ulid/v2"
)

// ids gives out ULIDs, each larger than the one before, whatever the clock does.
type ids struct{ last ulid.ULID }

// next returns the ID of a message that came now.
func (i *ids) next(now time.Time) ulid.ULID {
	if ms := ulid.Timestamp(now); ms > i.last.Time() {
		var id ulid.ULID
		_ = id.SetTime(ms)       // fails from the year 10889 on
		_, _ = rand.Read(id[6:]) // does not fail
		id[6] &= 0x7f            // room to count up
		i.last = id
		return id
	}
	i.last = after(i.last)
	return i.last
}

// after returns an ID somewhat larger. By how much is left to chance, because another
// server may count on from the same one.
func after(id ulid.ULID) ulid.ULID {
	high, low := binary.BigEndian.Uint64(id[:8]), binary.BigEndian.Uint64(id[8:])
	step := uint64(mathrand.Uint32()) + 1
	if low += step; low < step {
		high++
	}
	binary.BigEndian.PutUint64(id[:8], high)
	binary.BigEndian.PutUint64(id[8:], low)
	return id
}

// past makes all IDs to come larger than this one.
func (i *ids) past(id string) {
	if stored, err := ulid.ParseStrict(id); err == nil && stored.Compare(i.last) > 0 {
		i.last = stored
	}
}

// stamp gives a message its ID, and the time that is in it.
func (i *ids) stamp(m *Message, now time.Time) {
	id := i.next(now)
	m.ID, m.At = id.String(), timeOf(id)
}

func timeOf(id ulid.ULID) time.Time { return ulid.Time(id.Time()).UTC() }

// canonical is an ID as it is stored, in upper case; "" is none.
func canonical(id string) (string, error) {
	if id == "" {
		return "", nil
	}
	parsed, err := ulid.ParseStrict(id)
	if err != nil {
		return "", fmt.Errorf("%w: %q", ErrID, id)
	}
	return parsed.String(), nil
}

// oldest returns an ID below all those of messages that came at t or later.
func oldest(t time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(t))
	return id.String()
}
