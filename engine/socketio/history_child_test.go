package socketio_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Clients make children come and go: their histories must not stay.
func TestHistoriesGoWithTheirChildNamespace(t *testing.T) {
	w := recoveringWith(t, socketio.Options{
		CleanupEmptyChildNamespaces: true,
		History: func(_, room string) socketio.HistoryLimits {
			if room == "chat" {
				return socketio.HistoryLimits{Events: 10}
			}
			return socketio.HistoryLimits{}
		},
	})
	w.OnNewNamespace(func(n *socketio.Namespace) { n.KeepHistory("lobby", socketio.HistoryLimits{Events: 10}) })
	p := w.OfPattern(regexp.MustCompile(`^/dyn-\d+$`))
	p.OnConnect(func(_ ctxt, s *socketio.Socket) error {
		must(t, s.Namespace().To("lobby", "chat").Emit("text"))
		return s.Namespace().To("chat").Emit("text")
	})
	c := dial(t, w.addr)
	for i := range 10 {
		name := fmt.Sprintf("/dyn-%d,", i)
		enter(c, "40"+name, "40"+name)
		c.send("41" + name)
	}
	eventually(t, "all of them is gone", func() bool {
		return len(p.Children()) == 0 && socketio.LogRooms(w.Server) == 0 && w.Stats().Recovery.Bytes == 0
	})
}
