package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Rate is how often something may happen: PER_SECOND, or PER_SECOND:BURST, or off. Burst
// is how many may come at once after a quiet time; default one second's worth.
type Rate struct{ PerSecond, Burst int }

// UnmarshalText reads it.
func (r *Rate) UnmarshalText(text []byte) (err error) {
	*r, err = readRate(string(text), func(word string) (int, error) {
		n, err := strconv.ParseInt(word, 10, 32)
		return int(n), err
	}, "100:1000 for 100 per second and up to 1000 at once")
	return err
}

// MarshalText writes it so.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String is MarshalText.
func (r Rate) String() string {
	return writeRate(r, func(n int) string { return strconv.Itoa(n) })
}

// ByteRate is a Rate of bytes: 1MiB:4MiB, or off.
type ByteRate Rate

// UnmarshalText reads it.
func (r *ByteRate) UnmarshalText(text []byte) error {
	rate, err := readRate(string(text), func(word string) (int, error) {
		var s Size
		err := s.UnmarshalText([]byte(word))
		return int(s), err
	}, "1MiB:4MiB for 1 MiB per second and up to 4 MiB at once")
	*r = ByteRate(rate)
	return err
}

// MarshalText writes it so.
func (r ByteRate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String is MarshalText.
func (r ByteRate) String() string {
	return writeRate(Rate(r), func(n int) string { return Size(n).String() })
}

func readRate(text string, number func(string) (int, error), example string) (r Rate, err error) {
	if text == "off" {
		return r, nil
	}
	word, burst, found := strings.Cut(text, ":")
	if r.PerSecond, err = number(word); err == nil && found {
		r.Burst, err = number(burst)
	}
	if err != nil || r.PerSecond < 1 || found && r.Burst < 1 {
		return Rate{}, fmt.Errorf("%q is not a rate: give %s, or off", text, example)
	}
	return r, nil
}

func writeRate(r Rate, number func(int) string) string {
	switch {
	case r.PerSecond == 0:
		return "off"
	case r.Burst == 0:
		return number(r.PerSecond)
	}
	return number(r.PerSecond) + ":" + number(r.Burst)
}
