package adminui_test

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

type stats struct {
	ServerID, Hostname                string
	PID                               int
	Uptime                            float64
	ClientsCount, PollingClientsCount int
	AggregatedEvents                  []struct {
		Timestamp     int64
		Type, SubType string
		Count         int
	}
	Namespaces []struct {
		Name         string
		SocketsCount int
	}
}

// numbers takes server_stats, which must be next.
func (a *admin) numbers() (st stats) {
	a.t.Helper()
	e := a.Expect("server_stats")
	if err := e.Args.Decode(&st); err != nil {
		a.t.Fatal(err)
	}
	return st
}

func TestNumbersAreSentEveryTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, adminui.Options{NoAuth: true, ServerID: "one"}, socketio.Options{})
		h.Connect()
		a := h.admin(nil)
		a.expect("config")
		host, _ := os.Hostname()
		st := a.numbers()
		if st.ServerID != "one" || st.Hostname != host || st.PID != os.Getpid() || st.ClientsCount != 2 || st.PollingClientsCount != 0 ||
			len(st.Namespaces) != 2 || st.Namespaces[0].Name != "/" || st.Namespaces[0].SocketsCount != 1 || st.AggregatedEvents != nil {
			t.Errorf("%+v", st)
		}
		begun := time.Now()
		a.numbers()
		c := h.Connect()
		c.Emit("hello", "1234")
		h.Settle()
		c.Close()
		h.Settle()
		st = a.numbers()
		if d := time.Since(begun); d != 4*time.Second {
			t.Errorf("after %v", d)
		}
		counts := make(map[string]int)
		for _, e := range st.AggregatedEvents {
			counts[e.Type+e.SubType] += e.Count
			if d := time.Now().UnixMilli() - e.Timestamp; d < 0 || d > 1000 {
				t.Errorf("%+v is %d ms old", e, d)
			}
		}
		// CONNECT and the event. What is counted where there is a network only: TestTheAdminUIOfNpm.
		if counts["rawConnection"] != 1 || counts["rawDisconnectiontransport close"] != 1 || counts["packetsIn"] < 2 {
			t.Errorf("%v", counts)
		}
		a.Close()
		time.Sleep(time.Minute)
		h.Settle()
		if st := h.ui.Stats(); st.Admins != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestNamespacesInTheNumbersHaveABound(t *testing.T) {
	h := open(t, adminui.Options{NoAuth: true, MaxNamespaces: 2}, socketio.Options{})
	for _, name := range []string{"/a", "/b", "/c"} {
		h.Of(name)
	}
	a := h.admin(nil)
	a.expect("config")
	if st := a.numbers(); len(st.Namespaces) != 2 || st.Namespaces[1].Name != "/a" {
		t.Errorf("%+v", st)
	}
}

// The production mode tells of nobody.
func TestProductionTellsNumbersOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, adminui.Options{NoAuth: true}, socketio.Options{})
		a := h.admin(nil)
		a.expect("config")
		c := h.Connect(socketiotest.ConnectOptions{})
		_ = c.Socket().Join("r")
		c.Emit("e")
		_ = h.Emit("f")
		time.Sleep(10 * time.Second)
		c.Close()
		h.Settle()
		a.nothing(h)
	})
}

// A server that stops while somebody looks leaves nothing behind.
func TestAServerStopsUnderItsAdmins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := develop(t)
		h.watcher()
		if err := h.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
	})
}
