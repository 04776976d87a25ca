package emitter_test

import (
	"context"
	"log"

	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/emitter"
)

// A process without a server of its own tells clients of the cluster something.
func Example() {
	e, err := emitter.New(emitter.Options{URL: "redis://localhost:6379"})
	if err != nil {
		log.Fatal(err)
	}
	defer e.Close()
	ctx := context.Background()
	if err := e.To("orders").Except("guests").Emit(ctx, "shipped", map[string]int{"order": 7}); err != nil {
		log.Print(err)
	}
	if err := e.Of("/admin").To("abuser").DisconnectSockets(ctx, true); err != nil {
		log.Print(err)
	}
}
