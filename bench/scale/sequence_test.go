package main

import (
	"testing"

	"github.com/fanfare-go/fanfare/bench/report"
	"pgregory.net/rapid"
)

func TestASequenceTellsWhatWentWrong(t *testing.T) {
	for name, c := range map[string]struct {
		come []uint32
		want report.Count
	}{
		"in order":          {[]uint32{0, 1, 2}, report.Count{Delivered: 3}},
		"one lost":          {[]uint32{0, 2}, report.Count{Delivered: 2}},
		"one doubled":       {[]uint32{0, 1, 1}, report.Count{Delivered: 2, Doubled: 1}},
		"one late":          {[]uint32{0, 2, 1}, report.Count{Delivered: 3, Disordered: 1}},
		"late, doubled":     {[]uint32{0, 2, 1, 1}, report.Count{Delivered: 3, Disordered: 1, Doubled: 1}},
		"the first is late": {[]uint32{1, 0}, report.Count{Delivered: 2, Disordered: 1}},
		"a wide gap":        {[]uint32{0, 1000, 999, 0}, report.Count{Delivered: 3, Disordered: 1, Doubled: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var s sequence
			var got report.Count
			for _, n := range c.come {
				s.take(n, &got)
			}
			if got != c.want {
				t.Fatalf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func TestASequenceAgreesWithASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		come := rapid.SliceOf(rapid.Uint32Range(0, window-1)).Draw(t, "numbers")
		var s sequence
		var got, want report.Count
		have, top := map[uint32]bool{}, -1
		for _, n := range come {
			switch {
			case have[n]:
				want.Doubled++
			case int(n) < top:
				want.Disordered++
				want.Delivered++
			default:
				want.Delivered++
			}
			if first := s.take(n, &got); first == have[n] {
				t.Fatalf("%d of %v: first %v", n, come, first)
			}
			have[n], top = true, max(top, int(n))
		}
		if got != want {
			t.Fatalf("%v: %+v, want %+v", come, got, want)
		}
	})
}

func TestNumbersSurviveTheText(t *testing.T) {
	for _, n := range []uint32{0, 7, 1<<32 - 1} {
		text := appendSequence(nil, n)
		if got, ok := sequenceOf(append(text, "xxx"...)); !ok || got != n || len(text) != sequenceWidth {
			t.Error(n, got, ok)
		}
	}
	for _, text := range []string{"", "123", "123456789x", "9999999999"} {
		if n, ok := sequenceOf([]byte(text)); ok {
			t.Error(text, n)
		}
	}
}
