//go:build !race

// The race detector lets sync.Pool forget at random.

package socketio_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// handshakeAllowance is what a handshake over WebSocket may allocate, in bytes,
// with all that stays: 1,275 were measured, 535 of them gnet's (its conn 272, the
// peer's address in three forms 192, its table of connections 71).
const handshakeAllowance = 1_400

// crowdAllowance is the same while so many are under way that the pools have to be
// filled first: 1,430 were measured with 100.
const crowdAllowance = 1_536

func TestAHandshakeLeavesLittleGarbage(t *testing.T) {
	const n = 2000
	for _, c := range []struct {
		name, head         string
		greeted            bool
		abreast, allowance int
	}{
		{"lean", leanHead, false, 1, handshakeAllowance},
		{"browser", browserHead, false, 1, handshakeAllowance},
		{"browser, connect function", browserHead, true, 1, handshakeAllowance},
		{"browser, connect function, 100 at a time", browserHead, true, 100, crowdAllowance},
	} {
		t.Run(c.name, func(t *testing.T) {
			io := socketio.New(quiet(socketio.Options{}))
			if c.greeted {
				io.OnConnect(func(context.Context, *socketio.Socket) error { return nil })
			}
			s := newStorm(t, start(t, io), c.head)
			s.connect(100, 1) // the loops, and the first of what grows
			before := allocated()
			s.connect(n, c.abreast)
			per := int(allocated()-before) / n
			t.Logf("%d bytes", per)
			if per > c.allowance {
				t.Errorf("%d bytes per handshake, allowed are %d", per, c.allowance)
			}
		})
	}
}

// allocated is all that was ever allocated, in bytes.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
