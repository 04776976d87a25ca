//go:build !race

// The race detector lets sync.Pool forget at random.

package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// Broadcasts that wait together are put into one buffer, which is used again and
// again, like everything else on their way.
func TestACoalescedBacklogAllocatesNothing(t *testing.T) {
	const backlog = 16
	for _, members := range []int{1, 300} {
		k, conns, sessions := deafFakes(t, members)
		for _, s := range sessions {
			s.Join("all")
		}
		k.run()
		to := &engine.Target{Groups: []string{"all"}}
		var frames []*engine.Frame
		for i := range backlog {
			frames = append(frames, text(fmt.Sprint(i, strings.Repeat("x", 120))))
		}
		before, rounds := k.srv.Stats().Writes, uint64(0)
		n := testing.AllocsPerRun(50, func() {
			rounds++
			for _, f := range frames {
				k.srv.Publish(f, to)
			}
			k.run()
			for _, c := range conns {
				c.discard()
			}
		})
		if n > 0 {
			t.Errorf("%d members: %v allocations for a backlog of %d", members, n, backlog)
		}
		if w := k.srv.Stats().Writes - before; w >= rounds*uint64(members)*2 { // a turn may end in the midst of them
			t.Errorf("%d members: %d writes in %d rounds", members, w, rounds)
		}
		for _, f := range frames {
			f.Release()
		}
	}
}
