package interop_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// TestClientsOutliveTheirServer kills a server of ours while another sends numbers: its clients come back to one that
// lives, and miss nothing. Node's servers do not know of sockets that nobody has given up.
func TestClientsOutliveTheirServer(t *testing.T) {
	t.Parallel()
	h := openHall(t)
	f := openFleet(t, h, streams, true, "go")
	victim := &member{name: f.prefix + "-victim"}
	child := openChild(t, victim.name, f)
	victim.server = child
	f.servers = append(f.servers, victim)
	f.settle(t, h)
	outlive(t, h, f, child)
}

func outlive(t *testing.T, h *hall, f *fleet, victim *childServer) {
	survivor := f.servers[0]
	g := openGate(t)
	g.lead(victim.url())
	c := h.driver.Connect(t, clienttest.ClientOptions{URL: g.url, Transports: clienttest.WebSocket, Reconnect: true})
	victim.do(t, order{Op: "enter", ID: c.ID(), Targets: list("numbers")})
	next := 0
	send := func(n int) {
		survivor.do(t, order{Op: "sequence", Rooms: list("numbers"), Event: "n", N: n, Args: list(next)})
		next++
	}
	send(50)
	c.Wait("n", 25) // the others may be under way
	eventually(t, func() (string, bool) { return "the session is not kept", f.keeps("numbers") })
	victim.program.Kill()
	send(50)
	g.lead(survivor.url())
	state := c.WaitReconnect()
	send(50)
	if !state.Recovered || state.SID != c.ID() {
		t.Fatalf("recovered: %v", state.Recovered)
	}
	for i, args := range c.Wait("n", 3*50-25) {
		var got, round int
		if json.Unmarshal(args[0], &got) != nil || json.Unmarshal(args[1], &round) != nil || 50*round+got != i+25 {
			t.Fatalf("%s instead of number %d", args, i+25)
		}
	}
}

// keeps reports whether there is a session in Redis with a room.
func (f *fleet) keeps(room string) bool {
	for _, key := range strings.Fields(f.store.Command("KEYS", "*"+f.prefix+":session:*")) {
		session, err := base64.StdEncoding.DecodeString(f.store.Command("GET", key))
		if err == nil && strings.Contains(string(session), room) {
			return true
		}
	}
	return false
}
