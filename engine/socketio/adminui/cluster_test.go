package adminui_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
)

// wire connects two servers in one process, as an adapter with a broker would.
type wire struct {
	*socketio.MemoryAdapter
	other func() *wire
}

func (w *wire) Broadcast(p *socketio.Broadcast) error {
	if !p.Flags.Local {
		_ = w.other().MemoryAdapter.Broadcast(p)
	}
	return w.MemoryAdapter.Broadcast(p)
}

func (w *wire) DisconnectSockets(sel *socketio.Selection, hangUp bool) error {
	_ = w.other().MemoryAdapter.DisconnectSockets(sel, hangUp)
	return w.MemoryAdapter.DisconnectSockets(sel, hangUp)
}

func (w *wire) ServerSideEmit(e *socketio.ServerSideEvent) error {
	return w.other().ServerSideEvent(e, nil)
}

func (w *wire) ServerCount(context.Context) (int, error) { return 2, nil }

func (w *wire) FetchSockets(ctx context.Context, sel *socketio.Selection) ([]*socketio.RemoteSocket, error) {
	mine, err := w.MemoryAdapter.FetchSockets(ctx, sel)
	theirs, _ := w.other().MemoryAdapter.FetchSockets(ctx, sel)
	for _, r := range theirs {
		mine = append(mine, socketio.NewRemoteSocket(w.Namespace(), r.State()))
	}
	return mine, err
}

// pair opens two houses whose namespaces of the same name are one.
func pair(t *testing.T) (a, b *house) {
	ends := make(map[string]*wire)
	adapter := func(me, other string) func(*socketio.MemoryAdapter) socketio.Adapter {
		return func(m *socketio.MemoryAdapter) socketio.Adapter {
			name := m.Namespace().Name()
			w := &wire{m, func() *wire { return ends[other+name] }}
			ends[me+name] = w
			return w
		}
	}
	o := adminui.Options{NoAuth: true, Mode: adminui.Development}
	o.ServerID = "a"
	a = open(t, o, socketio.Options{Adapter: adapter("a", "b")})
	o.ServerID = "b"
	b = open(t, o, socketio.Options{Adapter: adapter("b", "a")})
	return a, b
}

// Servers that nobody looks at directly tell of themselves while somebody looks at
// another, and no longer.
func TestServersOfAClusterAreShownTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := pair(t)
		old := b.Connect()
		w := a.admin(nil)
		w.expect("config")
		var all []shown
		if w.expect("all_sockets", &all); !slices.ContainsFunc(all, func(s shown) bool { return s.ID == old.ID() }) {
			t.Errorf("the other server's socket is not among %+v", all)
		}
		a.Settle()
		c := b.Connect()
		w.expectAbout("room_joined", "/", c.ID(), c.ID())
		w.expect("socket_connected")
		c.Emit("e")
		w.expectAbout("event_received", "/", c.ID(), []any{"e"})
		old.Close()
		w.expectAbout("socket_disconnected", "/", old.ID(), "transport close")
		w.expectAbout("room_left", "/", old.ID(), old.ID())
		w.Emit("_disconnect", "/", false, c.ID())
		c.Disconnected()

		servers := make(map[string]bool)
		for range 30 {
			time.Sleep(time.Second)
			a.Settle()
			for w.Received() > 0 {
				if e := w.Next(); e.Name == "server_stats" {
					var st stats
					_ = e.Args.Decode(&st)
					servers[st.ServerID] = true
				}
			}
		}
		if len(servers) != 2 {
			t.Errorf("servers %v", servers)
		}
		w.Close()
		time.Sleep(time.Minute)
		if st := b.ui.Stats(); st.Shown != 0 {
			t.Errorf("the other server goes on: %+v", st)
		}
	})
}
