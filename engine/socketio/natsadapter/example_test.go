package natsadapter_test

import (
	"context"
	"log"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
)

// A server that is one of a cluster, without any other process: each has a NATS server of
// its own, and they find each other by the addresses of some of them.
func Example() {
	broker, err := embedded.Start(embedded.Options{
		ClusterListen: "127.0.0.1:0", // such as 10.0.0.1:6222
		Seeds:         nil,           // such as 10.0.0.2:6222, 10.0.0.3:6222
		Username:      "cluster", Password: "shared by all",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer broker.Shutdown(context.Background()) //nolint:errcheck // at the end
	node, err := natsadapter.Connect(context.Background(), natsadapter.Options{InProcess: broker})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close() //nolint:errcheck // at the end

	io := socketio.New(socketio.Options{Adapter: node.Adapter})
	if err := io.Emit("news", "to the clients of all servers"); err != nil {
		log.Print(err)
	}
	_ = io.Shutdown(context.Background()) // before the node
	// Output:
}
