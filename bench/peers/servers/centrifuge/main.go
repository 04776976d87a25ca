// Command centrifuge serves centrifuge's own JSON protocol: clients subscribe to one
// channel, publish into it, and call one procedure that answers with its argument.
package main

import (
	"context"
	"net/http"

	"github.com/centrifugal/centrifuge"
	"github.com/fanfare-go/fanfare/bench/peers/servers/undertest"
)

func main() {
	l := undertest.Listen()
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		undertest.Fail(err)
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}, nil
	})
	node.OnConnect(handle)
	if err := node.Run(); err != nil {
		undertest.Fail(err)
	}
	routes := http.NewServeMux()
	routes.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{UseWriteBufferPool: true}))
	go func() { undertest.Fail(http.Serve(l, routes)) }()
	undertest.Wait(l.Addr())
}

func handle(c *centrifuge.Client) {
	c.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
		done(centrifuge.SubscribeReply{}, nil)
	})
	c.OnPublish(func(_ centrifuge.PublishEvent, done centrifuge.PublishCallback) {
		done(centrifuge.PublishReply{}, nil) // and the library publishes
	})
	c.OnRPC(func(e centrifuge.RPCEvent, done centrifuge.RPCCallback) {
		done(centrifuge.RPCReply{Data: e.Data}, nil)
	})
}
