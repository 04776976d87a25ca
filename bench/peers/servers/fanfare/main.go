// Command fanfare serves the chat with this project's library, as its users would
// write it: handlers on the pool, or with -inline on the event loop, which suits
// handlers that never block.
package main

import (
	"context"
	"flag"
	"log/slog"

	"github.com/fanfare-go/fanfare/bench/peers/servers/undertest"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// The events of the chat. What a handler only passes on need not be decoded.
const (
	chatMessage socketio.Event[socketio.Raw]              = "chatMessage"
	reply       socketio.Event[socketio.Raw]              = "reply"
	echo        socketio.Call[socketio.Raw, socketio.Raw] = "echo"
)

func main() {
	inline := flag.Bool("inline", false, "run the handlers on the event loop")
	addr := undertest.Address()
	server := socketio.New(socketio.Options{Logger: slog.New(slog.DiscardHandler)})
	handle(server, *inline)
	if err := server.Listen(addr); err != nil {
		undertest.Fail(err)
	}
	go func() { undertest.Fail(server.Serve(context.Background())) }()
	undertest.Wait(server.Addr())
}

func handle(server *socketio.Server, inline bool) {
	var where []socketio.HandlerOption
	if inline {
		where = append(where, socketio.Inline)
	}
	socketio.On(server, chatMessage, func(_ context.Context, _ *socketio.Socket, text socketio.Raw) error {
		return reply.Emit(server, text)
	}, where...)
	socketio.OnAck(server, echo, func(_ context.Context, _ *socketio.Socket, text socketio.Raw) (socketio.Raw, error) {
		return text, nil
	}, where...)
}
