//go:build !race

// The race detector lets sync.Pool forget at random.

package cluster_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// Telling other servers of a broadcast allocates nothing where it is emitted, but what the
// Link does to keep the bytes.
func TestPublishingAllocatesNothing(t *testing.T) {
	var a *cluster.Adapter
	socketio.New(socketio.Options{Adapter: func(m *socketio.MemoryAdapter) socketio.Adapter {
		a = (&encoder{}).adapter(t)(m).(*cluster.Adapter)
		return a
	}}) // without event loops, whose allocations would count
	p := &socketio.Broadcast{Array: []byte(`["reply","some text"]`), Rooms: []string{"room", "more"}, Except: []string{"other"}}
	for _, p.Flags = range []socketio.Flags{{}, {Volatile: true, NoCompress: true}} {
		count := func(broadcast func(*socketio.Broadcast) error) float64 {
			return testing.AllocsPerRun(200, func() {
				if err := broadcast(p); err != nil {
					t.Fatal(err)
				}
			})
		}
		var alone, published float64
		for range 20 { // pools of buffers change their minds between two, but not each time
			if alone, published = count(a.MemoryAdapter.Broadcast), count(a.Broadcast); published <= alone {
				break
			}
		}
		if published > alone {
			t.Errorf("%+v: %v allocations, and %v without other servers", p.Flags, published, alone)
		}
	}
}
