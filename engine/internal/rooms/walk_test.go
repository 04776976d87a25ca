package rooms_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine/internal/rooms"
)

// walk visits everything in parts and returns it in the order met.
func (o *owner) walk(part int, in, except []string, exceptMembers ...uint32) []uint32 {
	var w rooms.Walk
	o.Begin(&w, in, except, exceptMembers)
	return finish(&w, part)
}

// finish walks to the end.
func finish(w *rooms.Walk, part int) (met []uint32) {
	buf := make([]uint32, 0, part)
	for buf = w.Next(buf); len(buf) > 0; buf = w.Next(buf) {
		met = append(met, buf...)
	}
	return met
}

func sorted(members []uint32) []uint32 {
	slices.Sort(members)
	return members
}

func TestWalkVisitsUnionsMinusExceptions(t *testing.T) {
	o := newOwner(10).join("a", 0, 1, 2, 3, 4).join("b", 3, 4, 5, 6).join("c", 4, 6, 9)
	tests := []struct {
		name          string
		in, except    []string
		exceptMembers []uint32
		want          []uint32
	}{
		{"one room", []string{"a"}, nil, nil, []uint32{0, 1, 2, 3, 4}},
		{"a union", []string{"a", "b"}, nil, nil, []uint32{0, 1, 2, 3, 4, 5, 6}},
		{"the same room twice", []string{"b", "b"}, nil, nil, []uint32{3, 4, 5, 6}},
		{"unknown rooms", []string{"x", "c", "y"}, []string{"z"}, nil, []uint32{4, 6, 9}},
		{"no room", nil, nil, nil, nil},
		{"minus a room", []string{"a", "b"}, []string{"c"}, nil, []uint32{0, 1, 2, 3, 5}},
		{"minus itself", []string{"a"}, []string{"a"}, nil, nil},
		{"minus members", []string{"a"}, nil, []uint32{0, 4, 9}, []uint32{1, 2, 3}},
		{"minus members without rooms or lists", []string{"a"}, nil, []uint32{8, 4000, math.MaxUint32}, []uint32{0, 1, 2, 3, 4}},
		{"minus both", []string{"a", "b", "c"}, []string{"b"}, []uint32{2}, []uint32{0, 1, 9}},
	}
	for _, tt := range tests {
		for _, part := range []int{1, 2, 3, 128} {
			t.Run(fmt.Sprint(tt.name, " in parts of ", part), func(t *testing.T) {
				if got := sorted(o.walk(part, tt.in, tt.except, tt.exceptMembers...)); !slices.Equal(got, tt.want) {
					t.Errorf("met %v; want %v", got, tt.want)
				}
			})
		}
	}
}

func TestWalkFillsWholeParts(t *testing.T) {
	o := newOwner(10).join("a", 0, 1, 2).join("b", 2, 3, 4).join("c", 5)
	var w rooms.Walk
	o.Begin(&w, []string{"a", "b", "c"}, nil, nil)
	buf := make([]uint32, 0, 4)
	var sizes []int
	for buf = w.Next(buf); len(buf) > 0; buf = w.Next(buf) {
		sizes = append(sizes, len(buf))
	}
	if !slices.Equal(sizes, []int{4, 2}) {
		t.Errorf("parts of %v", sizes)
	}
	if again := w.Next(buf); len(again) != 0 {
		t.Errorf("met %v after the end", again)
	}
}

func TestWalkSurvivesLeaving(t *testing.T) {
	// Room a is walked from its end: 9 and 8 are met first.
	tests := []struct {
		name  string
		leave func(o *owner)
		want  []uint32 // met later
	}{
		{"nobody", func(*owner) {}, []uint32{0, 1, 2, 3, 4, 5, 6, 7}},
		{"one met, at the end", func(o *owner) { o.Leave("a", 9) }, []uint32{0, 1, 2, 3, 4, 5, 6, 7}},
		{"one met, not at the end", func(o *owner) { o.Leave("a", 8) }, []uint32{0, 1, 2, 3, 4, 5, 6, 7}},
		{"one ahead", func(o *owner) { o.Leave("a", 0) }, []uint32{1, 2, 3, 4, 5, 6, 7}},
		{"the next one", func(o *owner) { o.Leave("a", 7) }, []uint32{0, 1, 2, 3, 4, 5, 6}},
		{"many ahead", func(o *owner) {
			for m := range uint32(6) {
				o.LeaveAll(m)
			}
		}, []uint32{6, 7}},
		{"all met and one ahead", func(o *owner) { o.LeaveAll(9); o.LeaveAll(8); o.LeaveAll(3) }, []uint32{0, 1, 2, 4, 5, 6, 7}},
		{"everybody", func(o *owner) {
			for m := range uint32(10) {
				o.LeaveAll(m)
			}
		}, nil},
		{"everybody, and the room's number goes to another room", func(o *owner) {
			for m := range uint32(10) {
				o.LeaveAll(m)
			}
			o.join("other", 10, 11, 12)
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOwner(20).join("a", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
			var w rooms.Walk
			o.Begin(&w, []string{"a"}, nil, nil)
			if first := sorted(w.Next(make([]uint32, 0, 2))); !slices.Equal(first, []uint32{8, 9}) {
				t.Fatalf("met %v first", first)
			}
			tt.leave(o)
			if got := sorted(finish(&w, 3)); !slices.Equal(got, tt.want) {
				t.Errorf("then met %v; want %v", got, tt.want)
			}
			o.check(t)
		})
	}
}

func TestAMemberThatLeavesOneOfTwoRoomsIsStillMet(t *testing.T) {
	o := newOwner(4).join("a", 0, 1).join("b", 0, 2)
	var w rooms.Walk
	o.Begin(&w, []string{"a", "b"}, nil, nil)
	if first := w.Next(make([]uint32, 0, 1)); !slices.Equal(first, []uint32{1}) {
		t.Fatalf("met %v first", first)
	}
	o.Leave("a", 0)
	if got := sorted(finish(&w, 8)); !slices.Equal(got, []uint32{0, 2}) {
		t.Errorf("then met %v", got)
	}
}

func TestBeginEndsTheWalkBefore(t *testing.T) {
	o := newOwner(4).join("a", 0, 1, 2, 3)
	var first rooms.Walk
	o.Begin(&first, []string{"a"}, nil, nil)
	first.Next(make([]uint32, 0, 1))
	if got := o.walk(2, []string{"a"}, nil); len(got) != 4 {
		t.Errorf("the second met %v", got)
	}
	if got := finish(&first, 8); got != nil {
		t.Errorf("the first met %v", got)
	}
}

func TestTheZeroWalkIsFinished(t *testing.T) {
	var w rooms.Walk
	if got := w.Next(make([]uint32, 0, 8)); len(got) != 0 {
		t.Errorf("met %v", got)
	}
}

func TestStampsSurviveTheEndOfEpochs(t *testing.T) {
	o := newOwner(8).join("a", 0, 1, 2, 3).join("b", 4)
	all := []string{"a", "b"}
	o.walk(8, all, nil, 6) // epoch 1
	o.walk(8, all, nil, 7) // epoch 2; 6 and 7 are in no room
	o.SetEpoch(math.MaxUint32 - 1)
	for i := range 4 { // the last epoch, then 1, 2, 3
		if i == 2 {
			o.join("a", 6, 7)
		}
		want := []uint32{0, 1, 2, 3, 4}
		if i >= 2 {
			want = append(want, 6, 7)
		}
		if got := sorted(o.walk(8, all, nil)); !slices.Equal(got, want) {
			t.Errorf("walk %d met %v; want %v", i, got, want)
		}
	}
}

func TestWalkDoesNotAllocate(t *testing.T) {
	o := newOwner(1000)
	for m := range uint32(1000) {
		o.join([]string{"a", "b", "c"}[m%3], m)
		o.join("all", m)
	}
	var w rooms.Walk
	buf := make([]uint32, 0, 128)
	in, except, exceptMembers := []string{"a", "all"}, []string{"b"}, []uint32{3}
	n := testing.AllocsPerRun(100, func() {
		o.Begin(&w, in, except, exceptMembers)
		for buf = w.Next(buf); len(buf) > 0; buf = w.Next(buf) {
		}
	})
	if n != 0 {
		t.Errorf("%v allocations per walk", n)
	}
}

func TestWhatIsMetBeforeIsLeftOut(t *testing.T) {
	o := newOwner(10).join("a", 0, 1, 2, 3).join("b", 3, 4)
	var w rooms.Walk
	o.Begin(&w, []string{"a", "b"}, []string{"b"}, []uint32{2})
	for m, want := range map[uint32]bool{0: true, 2: false, 3: false, 4: false, 7: true, 4000: false} {
		if w.Meet(m) != want {
			t.Errorf("member %d: %v", m, !want)
		}
		if w.Meet(m) {
			t.Errorf("member %d was met twice", m)
		}
	}
	if got := sorted(finish(&w, 2)); !slices.Equal(got, []uint32{1}) {
		t.Errorf("walked over %v", got)
	}
}
