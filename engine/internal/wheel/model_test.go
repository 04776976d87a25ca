package wheel_test

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fanfare-go/fanfare/engine/internal/wheel"
)

// model is the naive wheel: a list of deadlines in the order of arming, and a scan.
type model struct {
	now  uint64
	wait []deadline
}

type deadline struct {
	id   int
	tick uint64
}

func (m *model) disarm(id int) {
	m.wait = slices.DeleteFunc(m.wait, func(d deadline) bool { return d.id == id })
}

func (m *model) arm(id int, tick uint64) {
	m.disarm(id)
	m.wait = append(m.wait, deadline{id, max(tick, m.now)})
}

func (m *model) armed(id int) bool {
	return slices.ContainsFunc(m.wait, func(d deadline) bool { return d.id == id })
}

// advance returns what is due; the caller takes each out as it fires.
func (m *model) advance(now uint64) (due []deadline) {
	m.now = max(m.now, now)
	for _, d := range m.wait {
		if d.tick <= m.now {
			due = append(due, d)
		}
	}
	slices.SortStableFunc(due, func(a, b deadline) int { return cmp.Compare(a.tick, b.tick) })
	return due
}

// next is the earliest deadline.
func (m *model) next() (tick uint64, ok bool) {
	for i, d := range m.wait {
		if i == 0 || d.tick < tick {
			tick = d.tick
		}
	}
	return tick, len(m.wait) > 0
}

// step is something done to one entry.
type step struct {
	id     int
	disarm bool
	ahead  uint64 // ticks from now; in the past when behind is set
	behind bool
}

func drawStep(t *rapid.T, count int) step {
	return step{
		id:     rapid.IntRange(0, count-1).Draw(t, "id"),
		disarm: rapid.IntRange(0, 3).Draw(t, "kind") == 0,
		ahead:  rapid.Uint64Range(0, 300).Draw(t, "ahead"),
		behind: rapid.IntRange(0, 9).Draw(t, "behind") == 0,
	}
}

// do applies a step to wheel and model alike.
func (s step) do(w *entryWheel, m *model, es []entry) {
	if s.disarm {
		w.Disarm(&es[s.id])
		m.disarm(s.id)
		return
	}
	tick := m.now + s.ahead
	if s.behind {
		tick = m.now - min(m.now, s.ahead)
	}
	w.Arm(&es[s.id], tick)
	m.arm(s.id, tick)
}

// testModel compares random sequences, with steps taken inside fire too, with the naive list.
func testModel(t *rapid.T) {
	slots := 1 << rapid.IntRange(0, 8).Draw(t, "log slots")
	m := model{now: rapid.Uint64Range(0, 1000).Draw(t, "now")}
	w, es := wheel.New[entry](slots, m.now), entries(20)
	inside := rapid.Custom(func(t *rapid.T) []step {
		steps := make([]step, rapid.IntRange(0, 3).Draw(t, "steps inside"))
		for i := range steps {
			steps[i] = drawStep(t, len(es))
		}
		return steps
	})
	t.Repeat(map[string]func(*rapid.T){
		"step": func(t *rapid.T) { drawStep(t, len(es)).do(w, &m, es) },
		"advance": func(t *rapid.T) {
			checkAdvance(t, w, &m, es, m.now+rapid.Uint64Range(0, 400).Draw(t, "by"), inside)
		},
		"": func(t *rapid.T) { checkState(t, w, &m, es) },
	})
}

func TestAgainstModel(t *testing.T) { rapid.Check(t, testModel) }

// checkAdvance runs both; a due entry fires unless a step inside an earlier fire disarmed or re-armed it.
func checkAdvance(t *rapid.T, w *entryWheel, m *model, es []entry, now uint64, inside *rapid.Generator[[]step]) {
	due := m.advance(now)
	w.Advance(now, func(e *entry) {
		if len(due) == 0 || due[0].id != e.id {
			t.Fatalf("fired %d; due are %v", e.id, due)
		}
		due = due[1:]
		m.disarm(e.id)
		for _, s := range inside.Draw(t, "inside") {
			s.do(w, m, es)
			due = slices.DeleteFunc(due, func(d deadline) bool { return d.id == s.id })
		}
	})
	if len(due) > 0 {
		t.Fatalf("did not fire %v", due)
	}
}

func checkState(t *rapid.T, w *entryWheel, m *model, es []entry) {
	if w.Len() != len(m.wait) {
		t.Fatalf("%d wait; want %d", w.Len(), len(m.wait))
	}
	for i := range es {
		if w.Armed(&es[i]) != m.armed(i) {
			t.Fatalf("%d armed: %v", i, w.Armed(&es[i]))
		}
	}
	got, ok := w.Next()
	if want, wantOK := m.next(); ok != wantOK || got > want && ok {
		t.Fatalf("next %d, %v; want at most %d, %v", got, ok, want, wantOK)
	}
}
