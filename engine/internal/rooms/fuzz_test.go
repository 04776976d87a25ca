package rooms_test

import (
	"maps"
	"testing"

	"github.com/fanfare-go/fanfare/engine/internal/rooms"
)

// FuzzIndex reads pairs of bytes as operations on 8 rooms and 32 members, and holds the index against its model. The first byte of a pair
// is the operation (its upper three bits) and a member (the others), the second one a room or, bit by bit, several.
func FuzzIndex(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x00\x02\x00\x60\xff\x80\x00\xa0\x01\x80\x00"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		z := &fuzzed{T: t, o: newOwner(32), m: model{}}
		for ; len(ops) > 1; ops = ops[2:] {
			z.do(ops[0]>>5, uint32(ops[0]&31), ops[1])
		}
		for m := range uint32(32) {
			z.o.LeaveAll(m)
		}
		if z.o.check(t); z.o.Rooms() != 0 {
			t.Errorf("%d rooms left", z.o.Rooms())
		}
	})
}

// fuzzed is an index, its model and the walk in progress.
type fuzzed struct {
	*testing.T
	o    *owner
	m    model
	w    rooms.Walk
	in   []string        // the walk's rooms; nil when there is none
	must map[uint32]bool // to be met
}

// names are the rooms of a set of bits.
func names(set byte) (names []string) {
	for i := range 8 {
		if set>>i&1 == 1 {
			names = append(names, modelNames[i:i+1])
		}
	}
	return names
}

func (z *fuzzed) do(op byte, member uint32, arg byte) {
	room := modelNames[arg&7 : arg&7+1]
	switch op {
	case 0, 1:
		z.finish() // no joins during a walk
		if got, want := z.o.Join(room, member), z.m.join(room, member); got != want {
			z.Fatalf("join %s, %d: %v", room, member, got)
		}
	case 2:
		if got, want := z.o.Leave(room, member), z.m.leave(room, member); got != want {
			z.Fatalf("leave %s, %d: %v", room, member, got)
		}
		z.forget()
	case 3:
		z.begin(names(arg), nil, member)
	case 4:
		z.begin(names(arg|1), names(arg>>4), member)
	case 5:
		z.o.LeaveAll(member)
		z.m.leaveAll(member)
		z.forget()
	default:
		z.next(int(member) + 1)
	}
	z.o.check(z.T)
}

func (z *fuzzed) begin(in, except []string, member uint32) {
	z.finish()
	z.in, z.must = in, z.m.union(in)
	out := z.m.union(except)
	out[member] = true
	maps.DeleteFunc(z.must, func(m uint32, _ bool) bool { return out[m] })
	z.o.Begin(&z.w, in, except, []uint32{member})
}

// forget takes those who left off the list of those to be met.
func (z *fuzzed) forget() {
	present := z.m.union(z.in)
	maps.DeleteFunc(z.must, func(m uint32, _ bool) bool { return !present[m] })
}

// next visits a part: everybody in it is to be met, and is not after that.
func (z *fuzzed) next(part int) {
	buf := z.w.Next(make([]uint32, 0, part))
	for _, m := range buf {
		if !z.must[m] {
			z.Fatalf("met %d", m)
		}
		delete(z.must, m)
	}
	if len(buf) < part && len(z.must) > 0 {
		z.Fatalf("did not meet %v", z.must)
	}
}

func (z *fuzzed) finish() { z.next(33) }
