//go:build !race

// The race detector lets sync.Pool forget at random.

package conversation_test

import (
	"context"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// A message costs what it is, not how many receive it: see the package doc of socketio for those.
func TestPublishingAllocatesLittle(t *testing.T) {
	h, err := history.Open(context.Background(), history.Options{Store: "off"})
	if err != nil {
		t.Fatal(err)
	}
	server := socketio.New(socketio.Options{})
	if err := server.StartInner(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Shutdown(context.Background()) })
	c := conversation.New(server, h, conversation.Options{})
	m := history.Message{Name: "Ada", Text: "hello, is anybody there?"}
	if n := testing.AllocsPerRun(1000, func() {
		if _, _, err := c.Publish(m); err != nil {
			t.Error(err)
		}
	}); n > 14 {
		t.Errorf("%v allocations per message", n)
	} else {
		t.Logf("%v allocations per message", n)
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, store := range []string{"off", "memory"} {
		b.Run("history "+store, func(b *testing.B) {
			h, err := history.Open(context.Background(), history.Options{Store: store})
			if err != nil {
				b.Fatal(err)
			}
			server := socketio.New(socketio.Options{})
			if err := server.StartInner(); err != nil {
				b.Fatal(err)
			}
			c := conversation.New(server, h, conversation.Options{})
			m := history.Message{Name: "Ada", Text: "hello, is anybody there?"}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := c.Publish(m); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			_ = server.Shutdown(context.Background())
			_ = h.Close(context.Background())
		})
	}
}
