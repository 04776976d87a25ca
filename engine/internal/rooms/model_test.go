package rooms_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/fanfare-go/fanfare/engine/internal/rooms"
)

// model is the naive index: sets of members by room.
type model map[string]map[uint32]bool

func (m model) join(room string, member uint32) bool {
	if m[room][member] {
		return false
	}
	if m[room] == nil {
		m[room] = map[uint32]bool{}
	}
	m[room][member] = true
	return true
}

func (m model) leave(room string, member uint32) bool {
	was := m[room][member]
	delete(m[room], member)
	if len(m[room]) == 0 {
		delete(m, room)
	}
	return was
}

func (m model) leaveAll(member uint32) {
	for room := range maps.Clone(m) {
		m.leave(room, member)
	}
}

// union is everybody in some rooms.
func (m model) union(names []string) map[uint32]bool {
	all := map[uint32]bool{}
	for _, room := range names {
		maps.Copy(all, m[room])
	}
	return all
}

const (
	modelMembers = 40
	modelNames   = "abcdefgh"
)

var (
	drawMember = rapid.Uint32Range(0, modelMembers-1)
	drawRoom   = rapid.Custom(func(t *rapid.T) string {
		i := rapid.IntRange(0, len(modelNames)-1).Draw(t, "room")
		return modelNames[i : i+1]
	})
	drawRooms = rapid.SliceOfN(drawRoom, 0, 4)
)

// pair is the index and its model, changed together.
type pair struct {
	o *owner
	m model
}

func (p *pair) join(t *rapid.T) {
	room, member := drawRoom.Draw(t, "room"), drawMember.Draw(t, "member")
	if got, want := p.o.Join(room, member), p.m.join(room, member); got != want {
		t.Fatalf("join: %v", got)
	}
}

// leave takes a member out of a room, or of all.
func (p *pair) leave(t *rapid.T) {
	room, member := drawRoom.Draw(t, "room"), drawMember.Draw(t, "member")
	if rapid.IntRange(0, 3).Draw(t, "all") == 0 {
		p.o.LeaveAll(member)
		p.m.leaveAll(member)
		return
	}
	if got, want := p.o.Leave(room, member), p.m.leave(room, member); got != want {
		t.Fatalf("leave: %v", got)
	}
}

// walk walks in parts, with members leaving after each, and joining too when asked. Whoever was there from the first to the last moment
// is met once, nobody is met twice, and nobody who is excluded or was not in at the time.
func (p *pair) walk(t *rapid.T, joins bool) {
	in, except := drawRooms.Draw(t, "in"), drawRooms.Draw(t, "except")
	exceptMembers := rapid.SliceOfN(drawMember, 0, 3).Draw(t, "except members")
	buf := make([]uint32, 0, rapid.IntRange(1, 10).Draw(t, "part"))
	excluded := p.m.union(except)
	for _, m := range exceptMembers {
		excluded[m] = true
	}
	must := p.m.union(in) // shrinks to those who never left
	maps.DeleteFunc(must, func(m uint32, _ bool) bool { return excluded[m] })
	met := map[uint32]bool{}
	var w rooms.Walk
	p.o.Begin(&w, in, except, exceptMembers)
	for buf = w.Next(buf); len(buf) > 0; buf = w.Next(buf) {
		present := p.m.union(in)
		for _, m := range buf {
			if met[m] && !joins || excluded[m] && !joins || !present[m] {
				t.Fatalf("met %d; met before %v, excluded %v, present %v", m, met[m], excluded[m], present[m])
			}
			met[m] = true
			delete(must, m)
		}
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			if joins && rapid.Bool().Draw(t, "join") {
				p.join(t)
			} else {
				p.leave(t)
			}
			present = p.m.union(in)
			maps.DeleteFunc(must, func(m uint32, _ bool) bool { return !present[m] })
		}
	}
	if len(must) > 0 && !joins {
		t.Fatalf("did not meet %v", slices.Sorted(maps.Keys(must)))
	}
}

func (p *pair) check(t *rapid.T) {
	if fault := p.o.Check(modelMembers); fault != "" {
		t.Fatal(fault)
	}
	if p.o.Rooms() != len(p.m) {
		t.Fatalf("%d rooms; want %d", p.o.Rooms(), len(p.m))
	}
	for i := range modelNames {
		room := modelNames[i : i+1]
		if p.o.Size(room) != len(p.m[room]) {
			t.Fatalf("room %s has %d members; want %d", room, p.o.Size(room), len(p.m[room]))
		}
	}
	for m := range uint32(modelMembers) {
		of := 0
		p.o.RoomsOf(m, func(room string) bool {
			of++
			if !p.m[room][m] {
				t.Fatalf("%d is not in %s", m, room)
			}
			return true
		})
		for i := range modelNames {
			room := modelNames[i : i+1]
			if in := p.m[room][m]; p.o.Has(room, m) != in {
				t.Fatalf("%d in %s: %v", m, room, !in)
			} else if in {
				of--
			}
		}
		if of != 0 {
			t.Fatalf("%d is in another number of rooms", m)
		}
	}
}

// testModel interleaves joins, leaves and walks in parts. Walks with joins inside are against the contract, and have to leave the index in
// order all the same.
func testModel(t *rapid.T) {
	p := &pair{newOwner(modelMembers), model{}}
	t.Repeat(map[string]func(*rapid.T){
		"join": func(t *rapid.T) {
			for range rapid.IntRange(1, 10).Draw(t, "joins") {
				p.join(t)
			}
		},
		"leave":           p.leave,
		"walk":            func(t *rapid.T) { p.walk(t, false) },
		"walk with joins": func(t *rapid.T) { p.walk(t, true) },
		"":                p.check,
	})
}

func TestAgainstModel(t *testing.T) { rapid.Check(t, testModel) }
