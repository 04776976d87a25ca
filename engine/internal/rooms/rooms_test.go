package rooms_test

import (
	"fmt"
	"slices"
	"testing"
	"unsafe"

	"github.com/fanfare-go/fanfare/engine/internal/rooms"
)

// owner stands for what embeds Lists: a slab of members.
type owner struct {
	*rooms.Index
	lists []rooms.List
}

func newOwner(members int) *owner {
	o := &owner{lists: make([]rooms.List, members)}
	o.Index = rooms.New(func(m uint32) *rooms.List {
		if int(m) >= len(o.lists) {
			return nil
		}
		return &o.lists[m]
	})
	return o
}

// join puts members into a room.
func (o *owner) join(room string, members ...uint32) *owner {
	for _, m := range members {
		o.Join(room, m)
	}
	return o
}

// roomsOf is RoomsOf, sorted.
func (o *owner) roomsOf(m uint32) (names []string) {
	o.RoomsOf(m, func(room string) bool {
		names = append(names, room)
		return true
	})
	slices.Sort(names)
	return names
}

func (o *owner) check(t *testing.T) {
	t.Helper()
	if fault := o.Check(uint32(len(o.lists))); fault != "" {
		t.Fatal(fault)
	}
}

func TestListSize(t *testing.T) {
	if n := unsafe.Sizeof(rooms.List{}); n != 40 {
		t.Errorf("List has %d bytes; its comment says 40", n)
	}
}

func TestJoinAndLeaveSayWhetherTheyChangedAnything(t *testing.T) {
	o := newOwner(2)
	steps := []struct {
		what string
		do   func() bool
		want bool
	}{
		{"leave a room that is not there", func() bool { return o.Leave("a", 0) }, false},
		{"has before", func() bool { return o.Has("a", 0) }, false},
		{"join", func() bool { return o.Join("a", 0) }, true},
		{"join again", func() bool { return o.Join("a", 0) }, false},
		{"has", func() bool { return o.Has("a", 0) }, true},
		{"another has not", func() bool { return o.Has("a", 1) }, false},
		{"another leaves", func() bool { return o.Leave("a", 1) }, false},
		{"leave", func() bool { return o.Leave("a", 0) }, true},
		{"leave again", func() bool { return o.Leave("a", 0) }, false},
		{"join anew", func() bool { return o.Join("a", 0) }, true},
		{"the empty name is a name", func() bool { return o.Join("", 0) }, true},
	}
	for _, s := range steps {
		if got := s.do(); got != s.want {
			t.Errorf("%s: %v", s.what, got)
		}
		o.check(t)
	}
}

func TestEmptyRoomsVanish(t *testing.T) {
	o := newOwner(3).join("a", 0, 1, 2).join("b", 1)
	if o.Rooms() != 2 || o.Size("a") != 3 || o.Size("b") != 1 || o.Size("c") != 0 {
		t.Errorf("%d rooms of %d, %d, %d", o.Rooms(), o.Size("a"), o.Size("b"), o.Size("c"))
	}
	o.LeaveAll(1)
	if o.Rooms() != 1 || o.Size("a") != 2 || o.Size("b") != 0 {
		t.Errorf("%d rooms of %d, %d", o.Rooms(), o.Size("a"), o.Size("b"))
	}
	o.Leave("a", 0)
	o.LeaveAll(2)
	o.LeaveAll(2)
	if o.Rooms() != 0 {
		t.Errorf("%d rooms", o.Rooms())
	}
	o.check(t)
}

func TestAMemberOfManyRooms(t *testing.T) {
	const count = 1000
	o := newOwner(2)
	var want []string
	for i := range count {
		name := fmt.Sprintf("room %04d", i)
		want = append(want, name)
		o.join(name, 0)
		if i%2 == 0 {
			o.join(name, 1)
		}
	}
	o.check(t)
	if got := o.roomsOf(0); !slices.Equal(got, want) {
		t.Errorf("in %d rooms; want %d", len(got), len(want))
	}
	for i := 0; i < count; i += 3 {
		if !o.Leave(want[i], 0) {
			t.Fatalf("was not in %s", want[i])
		}
		o.check(t)
	}
	for i, name := range want {
		if o.Has(name, 0) != (i%3 != 0) || o.Has(name, 1) != (i%2 == 0) {
			t.Fatalf("wrong about %s", name)
		}
	}
	o.LeaveAll(0)
	o.LeaveAll(1)
	if o.check(t); o.Rooms() != 0 {
		t.Errorf("%d rooms left", o.Rooms())
	}
}

func TestRoomsOfMayLeaveWhatItYields(t *testing.T) {
	o := newOwner(1)
	for i := range 20 {
		o.join(fmt.Sprint(i), 0)
	}
	seen := 0
	o.RoomsOf(0, func(room string) bool {
		seen++
		return o.Leave(room, 0) && seen < 15
	})
	if seen != 15 || o.Rooms() != 5 {
		t.Errorf("yielded %d rooms, %d left", seen, o.Rooms())
	}
	o.check(t)
}

func TestJoinAndLeaveDoNotAllocate(t *testing.T) {
	for _, in := range []int{1, 3, 4, 12} {
		o := newOwner(2)
		for i := range in {
			o.join(fmt.Sprint("room", i), 0)
		}
		o.join("a", 1)
		n := testing.AllocsPerRun(100, func() {
			o.Join("a", 0)
			o.Leave("a", 0)
		})
		if n != 0 {
			t.Errorf("a member of %d rooms: %v allocations", in, n)
		}
	}
}
