package socketio_test

import (
	"context"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// A chat whose latecomers read the last hundred lines of a room before the next one:
// the client asks with the offset of the last line it has, which is the last argument of
// every "line", or with none.
func ExampleHistory() {
	io := socketio.New(socketio.Options{
		ConnectionStateRecovery: &socketio.Recovery{}, // who loses the connection misses nothing
		History: func(_, room string) socketio.HistoryLimits {
			return socketio.HistoryLimits{Events: 100}
		},
	})
	type enter struct {
		socketio.Tuple
		Room, Offset string
	}
	socketio.OnAck(io, "enter", func(_ context.Context, s *socketio.Socket, e enter) (bool, error) {
		return io.History(e.Room).Join(s, e.Offset) // the lines since, and all that follow
	})
	type say struct {
		socketio.Tuple
		Room, Text string
	}
	socketio.On(io, "say", func(_ context.Context, _ *socketio.Socket, m say) error {
		return io.To(m.Room).Emit("line", m.Text)
	})
}
