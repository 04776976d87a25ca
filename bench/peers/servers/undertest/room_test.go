package undertest_test

import (
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/bench/peers/servers/undertest"
)

func members(r *undertest.Room[int]) (all []int) {
	r.Each(func(m int) { all = append(all, m) })
	return all
}

func TestMembersAreWalkedInOrderOfArrival(t *testing.T) {
	var room undertest.Room[int]
	var model []int
	for i := 1; i <= 2000; i++ {
		room.Add(i)
		model = append(model, i)
		if i%10 != 0 { // leaves far more empty slots than members, so that some Add compacts
			room.Remove(i / 2)
			if at := slices.Index(model, i/2); at >= 0 {
				model = slices.Delete(model, at, at+1)
			}
		}
		if got := members(&room); !slices.Equal(got, model) {
			t.Fatalf("after %d: %v, want %v", i, got, model)
		}
	}
}

func TestAMemberMayLeaveDuringTheWalk(t *testing.T) {
	var room undertest.Room[int]
	for i := 1; i <= 5; i++ {
		room.Add(i)
	}
	var seen []int
	room.Each(func(m int) {
		seen = append(seen, m)
		room.Remove(m)
		room.Remove(4)
	})
	if want := []int{1, 2, 3, 5}; !slices.Equal(seen, want) {
		t.Fatalf("saw %v, want %v", seen, want)
	}
	if left := members(&room); left != nil {
		t.Fatalf("%v are left", left)
	}
}

func TestAskSplitsTheFirstByteOff(t *testing.T) {
	if kind, text := undertest.Ask([]byte("bhello")); kind != undertest.Broadcast || string(text) != "hello" {
		t.Fatalf("%c %q", kind, text)
	}
	if kind, text := undertest.Ask(nil); kind != 0 || text != nil {
		t.Fatalf("%d %q for nothing", kind, text)
	}
}
