// Package chat is the Socket.IO server that the examples mount.
package chat

import (
	"context"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// New returns a server that repeats every "chatMessage" to everybody, as "reply", and
// acknowledges an "echo".
func New() *socketio.Server {
	io := socketio.New(socketio.Options{})
	socketio.On(io, "chatMessage", func(_ context.Context, _ *socketio.Socket, text string) error {
		return io.Emit("reply", text)
	})
	socketio.OnAck(io, "echo", func(_ context.Context, _ *socketio.Socket, args socketio.Args) (socketio.Args, error) {
		return args, nil
	})
	return io
}
