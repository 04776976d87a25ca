// Command zishang520 serves the chat with zishang520/socket.io, on net/http as its
// documentation shows, with its defaults.
package main

import (
	"net/http"

	"github.com/fanfare-go/fanfare/bench/peers/servers/undertest"
	"github.com/zishang520/socket.io/servers/socket/v3"
)

func main() {
	l := undertest.Listen()
	io := socket.NewServer(nil, nil)
	if err := io.On("connection", func(clients ...any) { handle(io, clients[0].(*socket.Socket)) }); err != nil {
		undertest.Fail(err)
	}
	routes := http.NewServeMux()
	routes.Handle("/socket.io/", io.ServeHandler(nil))
	go func() { undertest.Fail(http.Serve(l, routes)) }()
	undertest.Wait(l.Addr())
}

func handle(io *socket.Server, client *socket.Socket) {
	if err := client.On("chatMessage", func(args ...any) { io.Emit("reply", args...) }); err != nil {
		undertest.Fail(err)
	}
	if err := client.On("echo", func(args ...any) {
		if ack, ok := args[len(args)-1].(socket.Ack); ok {
			ack(args[:len(args)-1], nil)
		}
	}); err != nil {
		undertest.Fail(err)
	}
}
