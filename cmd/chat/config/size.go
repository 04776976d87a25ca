package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes: 64KiB is 65,536, 64kB is 64,000, and 64 is 64.
type Size int64

// units of a Size, each before those that its own name ends in.
var units = []struct {
	name  string
	bytes int64
}{
	{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1},
}

// UnmarshalText reads a whole number and a unit, in whatever case; without one it is bytes.
func (s *Size) UnmarshalText(text []byte) error {
	word, unit := strings.TrimSpace(string(text)), int64(1)
	for _, u := range units {
		if n := len(word) - len(u.name); n > 0 && strings.EqualFold(word[n:], u.name) {
			word, unit = strings.TrimSpace(word[:n]), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/unit {
		return fmt.Errorf("%q is not a size: give a whole number and a unit, such as 64KiB, 1MB or 1MiB", text)
	}
	*s = Size(n * unit)
	return nil
}

// MarshalText writes it in the largest unit without a remainder.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// String is MarshalText.
func (s Size) String() string {
	best := units[len(units)-1]
	for _, u := range units {
		if n, digits := int64(s)/u.bytes, int64(s)/best.bytes; int64(s)%u.bytes == 0 && n > 0 && n < digits {
			best = u
		}
	}
	return strconv.FormatInt(int64(s)/best.bytes, 10) + best.name
}
