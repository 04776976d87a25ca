//go:build !race

// The race detector lets sync.Pool forget at random.

package socketio_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Control packets and events on their way to a handler leave no garbage.
func TestReceivingAllocatesNothing(t *testing.T) {
	for _, c := range []struct {
		name, packet string
		opts         []socketio.HandlerOption
	}{
		{"inline", `2["x",{"a":[1,2,3]}]`, []socketio.HandlerOption{socketio.Inline}},
		{"mailbox", `2["x",{"a":[1,2,3]}]`, nil},
		{"nobody listens", `2["y",1]`, nil},
		{"unexpected acknowledgement", `3123["y",1]`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			io, receive, stop := socketio.Bench(socketio.Options{})
			defer stop()
			done := make(chan bool, 1)
			socketio.On(io, "x", func(ctxt, *socketio.Socket, socketio.Raw) error { done <- true; return nil }, c.opts...)
			waits := c.packet[2:5] == `"x"`
			packet := []byte(c.packet)
			if n := testing.AllocsPerRun(1000, func() {
				if err := receive(packet); err != nil {
					t.Error(err)
				}
				if waits {
					<-done
				}
			}); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}
