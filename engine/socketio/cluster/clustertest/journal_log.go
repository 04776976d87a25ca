package clustertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// offsetOf is as an offset of Redis.
func offsetOf(n uint64) string { return fmt.Sprintf("1700000000000-%d", n) }

func numberOf(offset string) (uint64, bool) {
	s, ok := strings.CutPrefix(offset, "1700000000000-")
	n, err := strconv.ParseUint(s, 10, 64)
	return n, ok && err == nil
}

// Valid implements cluster.Log.
func (d *Desk) Valid(offset string) bool {
	_, ok := numberOf(offset)
	return ok
}

// Compare implements cluster.Log.
func (d *Desk) Compare(a, b string) int {
	m, _ := numberOf(a)
	n, _ := numberOf(b)
	switch {
	case m < n:
		return -1
	case m > n:
		return 1
	}
	return 0
}

var errAway = errors.New("clustertest: the broker is not reached")

// Range implements cluster.Log.
func (d *Desk) Range(ctx context.Context, after, upTo string, each func(cluster.Entry) bool) error {
	from, _ := numberOf(after)
	to, _ := numberOf(upTo)
	j := d.journal
	j.mu.Lock()
	if d.away {
		j.mu.Unlock()
		return errAway
	}
	if from < j.trimmed || from > j.last {
		j.mu.Unlock()
		return cluster.ErrTrimmed
	}
	entries := slices.Clone(j.entries[from-j.trimmed:])
	j.mu.Unlock()
	for _, e := range entries {
		if e.number > to || !each(d.entry(e)) {
			return ctx.Err()
		}
	}
	return ctx.Err()
}

// PutSession implements cluster.Log.
func (d *Desk) PutSession(_ context.Context, s *cluster.Session, keep time.Duration) error {
	j := d.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if d.away {
		return errAway
	}
	if j.sessions == nil {
		j.sessions = make(map[string]journalSession)
	}
	j.sessions[s.PID] = journalSession{cluster.AppendSession(nil, s), time.Now().Add(keep)}
	return nil
}

// TakeSession implements cluster.Log.
func (d *Desk) TakeSession(_ context.Context, pid string) (*cluster.Session, error) {
	j := d.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if d.away {
		return nil, errAway
	}
	s, ok := j.sessions[pid]
	delete(j.sessions, pid)
	if !ok || time.Now().After(s.until) {
		return nil, nil
	}
	return cluster.ParseSession(s.text, nil)
}
