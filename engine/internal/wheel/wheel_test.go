package wheel_test

import (
	"math"
	"slices"
	"testing"
	"unsafe"

	"github.com/fanfare-go/fanfare/engine/internal/wheel"
)

// entry is what waits in these tests.
type entry struct {
	id    int
	links wheel.Links[entry]
}

func (e *entry) WheelLinks() *wheel.Links[entry] { return &e.links }

type entryWheel = wheel.Wheel[entry, *entry]

// entries makes n of them, their ids counting from 0.
func entries(n int) []entry {
	es := make([]entry, n)
	for i := range es {
		es[i].id = i
	}
	return es
}

// advance returns the ids fired.
func advance(w *entryWheel, now uint64) (ids []int) {
	w.Advance(now, func(e *entry) { ids = append(ids, e.id) })
	return ids
}

func TestLinksSize(t *testing.T) {
	if n := unsafe.Sizeof(wheel.Links[entry]{}); n != 24 {
		t.Errorf("Links has %d bytes; its comment says 24", n)
	}
}

func TestNewWantsAPowerOfTwo(t *testing.T) {
	for _, slots := range []int{-4, 0, 3, 100} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d slots accepted", slots)
				}
			}()
			wheel.New[entry](slots, 0)
		}()
	}
}

func TestFiresWhatIsDueInTickOrder(t *testing.T) {
	tests := []struct {
		name  string
		slots int
		now   uint64
		ticks []uint64
		to    uint64
		want  []int
	}{
		{"nothing armed", 8, 0, nil, 100, nil},
		{"nothing due", 8, 0, []uint64{5, 6}, 4, nil},
		{"due exactly now", 8, 0, []uint64{5, 6}, 5, []int{0}},
		{"by tick", 8, 0, []uint64{6, 2, 4}, 7, []int{1, 2, 0}},
		{"by arming within a tick", 8, 0, []uint64{3, 3, 3}, 3, []int{0, 1, 2}},
		{"past ticks first", 8, 10, []uint64{11, 3, 10, 0}, 11, []int{1, 2, 3, 0}},
		{"past ticks without time passing", 8, 10, []uint64{11, 10}, 10, []int{1}},
		{"past ticks though time is said to go back", 8, 10, []uint64{11, 10}, 2, []int{1}},
		{"later rounds are passed over", 8, 0, []uint64{9, 1, 17}, 1, []int{1}},
		{"one whole round", 8, 3, []uint64{11, 4, 12}, 11, []int{1, 0}},
		{"jump over rounds", 8, 0, []uint64{17, 2, 9, 1, 10, 17}, 1000, []int{3, 1, 2, 4, 0, 5}},
		{"jump that leaves some", 8, 0, []uint64{100, 2, 28, 27}, 27, []int{1, 3}},
		{"one slot", 1, 0, []uint64{3, 1, 2, 9}, 3, []int{1, 2, 0}},
		{"wrap of the ring", 64, 60, []uint64{70, 61, 123}, 123, []int{1, 0, 2}},
		{"many words of bits", 4096, 4000, []uint64{8095, 4097, 4001}, 8095, []int{2, 1, 0}},
		{"end of time", 8, math.MaxUint64 - 3, []uint64{math.MaxUint64, math.MaxUint64 - 1}, math.MaxUint64, []int{1, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := wheel.New[entry](tt.slots, tt.now)
			es := entries(len(tt.ticks))
			for i, tick := range tt.ticks {
				w.Arm(&es[i], tick)
			}
			got := advance(w, tt.to)
			if !slices.Equal(got, tt.want) {
				t.Errorf("fired %v; want %v", got, tt.want)
			}
			for _, id := range got {
				if w.Armed(&es[id]) {
					t.Errorf("%d is armed after it fired", id)
				}
			}
			if n := len(tt.ticks) - len(tt.want); w.Len() != n {
				t.Errorf("%d wait; want %d", w.Len(), n)
			}
		})
	}
}

func TestRearmingReplacesTheDeadline(t *testing.T) {
	w, es := wheel.New[entry](8, 0), entries(2)
	w.Arm(&es[0], 3)
	w.Arm(&es[1], 3)
	w.Arm(&es[0], 5)
	if got := advance(w, 4); !slices.Equal(got, []int{1}) {
		t.Errorf("fired %v at 4", got)
	}
	w.Arm(&es[0], 0) // from ahead to late
	if got := advance(w, 4); !slices.Equal(got, []int{0}) {
		t.Errorf("fired %v at the second 4", got)
	}
}

func TestDisarmedNeverFires(t *testing.T) {
	w, es := wheel.New[entry](8, 5), entries(3)
	w.Disarm(&es[0]) // not armed: nothing happens
	w.Arm(&es[0], 6)
	w.Arm(&es[1], 6)
	w.Arm(&es[2], 1)
	w.Disarm(&es[0])
	w.Disarm(&es[2])
	if w.Armed(&es[0]) || !w.Armed(&es[1]) || w.Len() != 1 {
		t.Errorf("armed %v, %v; %d wait", w.Armed(&es[0]), w.Armed(&es[1]), w.Len())
	}
	if got := advance(w, 100); !slices.Equal(got, []int{1}) {
		t.Errorf("fired %v", got)
	}
}

func TestFireMayChangeTheWheel(t *testing.T) {
	tests := []struct {
		name string
		to   uint64
		on0  func(w *entryWheel, es []entry) // when entry 0 fires
		want []int                           // 1 to 3 are due with 0 at tick 4, 4 at tick 6
		then []int                           // at the next Advance, same time
	}{
		{"disarm others of the same slot", 4, func(w *entryWheel, es []entry) { w.Disarm(&es[1]); w.Disarm(&es[3]) }, []int{0, 2}, nil},
		{"disarm the rest of the slot", 4, func(w *entryWheel, es []entry) { w.Disarm(&es[3]); w.Disarm(&es[2]); w.Disarm(&es[1]) }, []int{0}, nil},
		{"disarm one due later in the same Advance", 9, func(w *entryWheel, es []entry) { w.Disarm(&es[4]) }, []int{0, 1, 2, 3}, nil},
		{"disarm itself", 4, func(w *entryWheel, es []entry) { w.Disarm(&es[0]) }, []int{0, 1, 2, 3}, nil},
		{"arm itself for now", 4, func(w *entryWheel, es []entry) { w.Arm(&es[0], 4) }, []int{0, 1, 2, 3}, []int{0}},
		{"arm itself between its tick and now", 9, func(w *entryWheel, es []entry) { w.Arm(&es[0], 5) }, []int{0, 1, 2, 3, 4}, []int{0}},
		{"arm itself one round on", 4, func(w *entryWheel, es []entry) { w.Arm(&es[0], 12) }, []int{0, 1, 2, 3}, nil},
		{"put off one that is due", 4, func(w *entryWheel, es []entry) { w.Arm(&es[1], 12) }, []int{0, 2, 3}, nil},
		{"put off one that is due to the past", 4, func(w *entryWheel, es []entry) { w.Arm(&es[1], 0) }, []int{0, 2, 3}, []int{1}},
		{"arm twice, disarm", 4, func(w *entryWheel, es []entry) { w.Arm(&es[2], 4); w.Arm(&es[2], 20); w.Disarm(&es[2]) }, []int{0, 1, 3}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, es := wheel.New[entry](8, 0), entries(5)
			for i := range 4 {
				w.Arm(&es[i], 4)
			}
			w.Arm(&es[4], 6)
			var got []int
			w.Advance(tt.to, func(e *entry) {
				if w.Armed(e) {
					t.Errorf("%d is armed in its fire", e.id)
				}
				got = append(got, e.id)
				if e.id == 0 {
					tt.on0(w, es)
				}
			})
			if !slices.Equal(got, tt.want) {
				t.Errorf("fired %v; want %v", got, tt.want)
			}
			if then := advance(w, tt.to); !slices.Equal(then, tt.then) {
				t.Errorf("then fired %v; want %v", then, tt.then)
			}
		})
	}
}

func TestAPanicInFireCostsOneEntry(t *testing.T) {
	w, es := wheel.New[entry](8, 0), entries(4)
	for i := range es {
		w.Arm(&es[i], uint64(1+i))
	}
	func() {
		defer func() { _ = recover() }()
		w.Advance(3, func(e *entry) { panic("fire") })
	}()
	if tick, ok := w.Next(); !ok || tick > 3 || w.Len() != 3 {
		t.Errorf("next %d, %v; %d wait", tick, ok, w.Len())
	}
	if got := advance(w, 4); !slices.Equal(got, []int{1, 2, 3}) {
		t.Errorf("then fired %v", got)
	}
}

func TestNextIsALowerBound(t *testing.T) {
	tests := []struct {
		name  string
		slots int
		now   uint64
		ticks []uint64
		want  uint64
		ok    bool
	}{
		{"nothing armed", 8, 5, nil, 0, false},
		{"the next tick", 8, 5, []uint64{6, 7}, 6, true},
		{"exact within a round", 4096, 5, []uint64{4101, 3000}, 3000, true},
		{"the last of a round", 64, 5, []uint64{69}, 69, true},
		{"a round further: early", 8, 5, []uint64{16}, 8, true},
		{"late", 8, 5, []uint64{7, 2}, 5, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, es := wheel.New[entry](tt.slots, tt.now), entries(len(tt.ticks))
			for i, tick := range tt.ticks {
				w.Arm(&es[i], tick)
			}
			if tick, ok := w.Next(); ok != tt.ok || ok && tick != tt.want {
				t.Errorf("next %d, %v; want %d, %v", tick, ok, tt.want, tt.ok)
			}
		})
	}
}

func TestNothingAllocates(t *testing.T) {
	w, es := wheel.New[entry](64, 0), entries(1000)
	fire := func(e *entry) { w.Arm(e, 0) }
	now := uint64(0)
	n := testing.AllocsPerRun(100, func() {
		for i := range es {
			w.Arm(&es[i], now+uint64(i))
		}
		for i := 0; i < len(es); i += 3 {
			w.Disarm(&es[i])
		}
		now += 500
		w.Advance(now, fire)
		w.Next()
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
