package adminui_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// BenchmarkOthers is what the clients of another namespace are kept waiting for: an
// event that is answered by a broadcast to ten, without an admin UI, with one that
// nobody looks at, and with an admin.
func BenchmarkOthers(b *testing.B) {
	for _, bb := range []struct {
		name  string
		there bool
		mode  adminui.Mode
		looks bool
	}{
		{"none", false, 0, false}, {"unseen", true, adminui.Development, false},
		{"production", true, adminui.Production, true}, {"development", true, adminui.Development, true},
	} {
		b.Run(bb.name, func(b *testing.B) {
			var h *house
			if bb.there {
				h = open(b, adminui.Options{NoAuth: true, Mode: bb.mode}, socketio.Options{})
			} else {
				h = &house{socketiotest.NewServer(b, socketio.Options{}), nil, b}
			}
			socketio.On(h.Server.Server, "chat", func(_ ctxt, _ *socketio.Socket, text string) error { return h.Emit("reply", text) }, socketio.Inline)
			var clients []*socketiotest.Client
			for range 10 {
				clients = append(clients, h.Connect())
			}
			h.Settle()
			if bb.looks {
				h.admin(nil).expect("config")
			}
			b.ReportAllocs()
			for b.Loop() {
				clients[0].Raw(`2["chat","hello, is anybody there?"]`)
				for _, c := range clients {
					c.Next()
				}
			}
		})
	}
}
