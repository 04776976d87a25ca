package forward_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/forward"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
)

// Servers that share a Redis, behind a balancer that need not be sticky.
func Example() {
	fleet, err := redisadapter.New(redisadapter.Options{URL: "redis://localhost:6379"})
	if err != nil {
		log.Fatal(err)
	}
	f, err := forward.New(fleet.Carrier(), forward.Options{})
	if err != nil {
		log.Fatal(err)
	}
	options := socketio.Options{Adapter: fleet.Adapter}
	f.Equip(&options)
	server := socketio.New(options)
	if err := f.Attach(server); err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	fmt.Println(server.ListenAndServe(ctx, ":3000"))
	fmt.Println(f.Close(), fleet.Close())
}
