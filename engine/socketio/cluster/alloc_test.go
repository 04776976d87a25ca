//go:build !race

// The race detector lets sync.Pool forget at random.

package cluster_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Telling other servers of a broadcast allocates nothing where it is emitted, but what the
// Link does to keep the bytes.
func TestPublishingAllocatesNothing(t *testing.T) {
	for _, flags := range []socketio.Flags{{}, {Volatile: true, NoCompress: true}} {
		var got [2]float64
		for i, adapter := range []func(*socketio.MemoryAdapter) socketio.Adapter{nil, (&encoder{}).adapter(t)} {
			io := socketio.New(socketio.Options{Adapter: adapter}) // without event loops, whose allocations would count
			to := io.To("room", "more").Except("other").Compress(!flags.NoCompress)
			if flags.Volatile {
				to = to.Volatile()
			}
			got[i] = 1000
			for range 10 { // between two collections of garbage, which empty the pools
				got[i] = min(got[i], testing.AllocsPerRun(200, func() {
					if err := to.Emit("reply", "some text"); err != nil {
						t.Fatal(err)
					}
				}))
			}
		}
		if got[1] > got[0] {
			t.Errorf("%+v: %v allocations, and %v without other servers", flags, got[1], got[0])
		}
	}
}
