package rooms_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/internal/rooms"
)

// session stands for what embeds a List in earnest.
type session struct {
	_    [200]byte
	list rooms.List
}

// populate puts n sessions into a room for all and one of n/100 small ones.
func populate(n int) *rooms.Index {
	ss := make([]session, n)
	x := rooms.New(func(m uint32) *rooms.List { return &ss[m].list })
	for m := range uint32(n) {
		x.Join("all", m)
		x.Join(fmt.Sprint("small", int(m)%max(1, n/100)), m)
	}
	return x
}

// BenchmarkJoinLeave joins one room and leaves it.
func BenchmarkJoinLeave(b *testing.B) {
	for _, n := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			x := populate(n)
			x.Join("other", 0)
			b.ReportAllocs()
			m := uint32(1)
			for b.Loop() {
				x.Join("other", m)
				x.Leave("other", m)
				if m++; m == uint32(n) {
					m = 1
				}
			}
		})
	}
}

// BenchmarkWalk visits a room in parts of 128, plainly and with exceptions.
func BenchmarkWalk(b *testing.B) {
	for _, n := range []int{1, 100, 10_000, 100_000} {
		for _, except := range [][]string{nil, {"small0"}} {
			b.Run(fmt.Sprintf("members=%d/except=%d", n, len(except)), func(b *testing.B) {
				x := populate(n)
				in, exceptMembers := []string{"all"}, []uint32{0}
				if except == nil {
					exceptMembers = nil
				}
				var w rooms.Walk
				buf := make([]uint32, 0, 128)
				b.ReportAllocs()
				for b.Loop() {
					x.Begin(&w, in, except, exceptMembers)
					for buf = w.Next(buf); len(buf) > 0; buf = w.Next(buf) {
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/member")
			})
		}
	}
}

// BenchmarkUnion visits several rooms, each member once; those of the small rooms are in "all" too.
func BenchmarkUnion(b *testing.B) {
	const n = 10_000
	for _, in := range [][]string{{"small0", "small1"}, {"small0", "small1", "small2", "small3"}, {"all", "small0", "small1", "small2"}} {
		b.Run(strings.Join(in, "+"), func(b *testing.B) {
			x := populate(n)
			var w rooms.Walk
			buf := make([]uint32, 0, 128)
			met := 0
			b.ReportAllocs()
			for b.Loop() {
				x.Begin(&w, in, nil, nil)
				for buf = w.Next(buf); len(buf) > 0; buf = w.Next(buf) {
					met += len(buf)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(met), "ns/member")
		})
	}
}

// BenchmarkMembership joins members to rooms and divides the heap that takes by the number of memberships: in the index, spills included,
// and with the Lists that members embed. Rooms of one member show what a room itself costs, its entry by name included.
func BenchmarkMembership(b *testing.B) {
	for _, size := range []int{1, 100, 10_000} {
		for _, each := range []int{1, 2, 4, 16} {
			b.Run(fmt.Sprintf("members=%d/rooms-each=%d", size, each), func(b *testing.B) {
				var index, all float64
				for b.Loop() {
					index, all = measure(10_000, each, size)
				}
				b.ReportMetric(index, "B/membership")
				b.ReportMetric(all, "with-lists-B/membership")
			})
		}
	}
}

// measure joins members to so many rooms each, of so many members each, and returns the bytes of heap per membership: index and spills,
// and with the Lists themselves. The strings of the names are the caller's.
func measure(members, each, size int) (index, all float64) {
	var names []string
	for i := range members * each / size {
		names = append(names, fmt.Sprint("room", i))
	}
	before := heap()
	o := newOwner(members)
	lists := heap()
	for i := range each {
		for m := range uint32(members) {
			o.Join(names[i*len(names)/each+int(m)%(len(names)/each)], m)
		}
	}
	after := heap()
	runtime.KeepAlive(o)
	runtime.KeepAlive(names)
	return float64(after-lists) / float64(members*each), float64(after-before) / float64(members*each)
}

func heap() uint64 {
	var s runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// TestBytesPerMembership holds what a membership costs: 8 bytes in the room, with what append keeps in reserve, and 8 in the spill for
// one in four here; the List holds the other three.
func TestBytesPerMembership(t *testing.T) {
	index, all := measure(10_000, 4, 100)
	t.Logf("%.1f B per membership, %.1f B with the Lists", index, all)
	if index > 16 {
		t.Errorf("%.1f B per membership beside the Lists; the aim is 16", index)
	}
}
