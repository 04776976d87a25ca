//go:build !race

// The race detector lets sync.Pool forget at random.

package bench

import (
	"fmt"
	"runtime"
	"testing"
)

// perBroadcast and perLoop are the promise: encoding, the loops' turns and the writes
// together, in the whole process, however many members there are.
const perBroadcast, perLoop = 4, 1

func TestBroadcastsAllocateNothingPerMember(t *testing.T) {
	const broadcasts = 20
	for _, members := range []int{1, 100, 1000} {
		t.Run(fmt.Sprintf("members=%d", members), func(t *testing.T) {
			server, addr := serve(t)
			f := newAudience(t, server, addr, members)
			f.emit("warm up the pools", 1, broadcasts)
			runtime.GC() // not during the measurement: it empties the pools
			c := f.emit("0123456789abcdef", 1, broadcasts)
			promise := perBroadcast + perLoop*server.Stats().Engine.Loops
			each := int(c.allocs / broadcasts)
			t.Logf("%d allocations, %d bytes per broadcast; the promise is %d", each, c.bytes/broadcasts, promise)
			if each > promise {
				t.Errorf("%d allocations per broadcast, at most %d were promised", each, promise)
			}
		})
	}
}
