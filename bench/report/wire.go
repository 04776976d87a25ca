package report

import (
	"encoding/json"
	"fmt"
	"time"
)

// histogramWire is a Histogram between processes: exact, empty buckets left out.
type histogramWire struct {
	Max    time.Duration  `json:"max"`
	Counts map[int]uint64 `json:"counts"`
}

// MarshalJSON makes a histogram that UnmarshalJSON reads without loss.
func (h Histogram) MarshalJSON() ([]byte, error) {
	w := histogramWire{h.max, map[int]uint64{}}
	for i, n := range h.counts {
		if n > 0 {
			w.Counts[i] = n
		}
	}
	return json.Marshal(w)
}

// UnmarshalJSON replaces h by what MarshalJSON made.
func (h *Histogram) UnmarshalJSON(b []byte) error {
	var w histogramWire
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*h = Histogram{max: w.Max}
	for i, n := range w.Counts {
		if i < 0 || i >= len(h.counts) {
			return fmt.Errorf("report: no histogram has a bucket %d", i)
		}
		h.counts[i] = n
		h.n += n
	}
	return nil
}
