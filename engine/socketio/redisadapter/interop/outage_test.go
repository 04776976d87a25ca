package interop_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// outages are what a fleet of both kinds must be whole again after, with nobody's help.
var outages = []struct {
	name   string
	strike func(db *redistest.Server)
}{
	{"the subscribers' connections are killed", func(db *redistest.Server) { db.Command("CLIENT", "KILL", "TYPE", "pubsub") }},
	{"all connections are killed", func(db *redistest.Server) {
		db.Command("CLIENT", "KILL", "TYPE", "pubsub")
		db.Command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	}},
	{"Redis is restarted", func(db *redistest.Server) {
		db.Kill()
		db.Start()
	}},
}

// TestOutage cuts a server of Node's and one of ours off from Redis, and has them play on.
func TestOutage(t *testing.T) {
	t.Parallel()
	h := openHall(t)
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			own := &hall{t: t, driver: h.driver, store: redistest.Start(t, redistest.Options{})}
			own.once.Do(func() { own.program = h.node(t) })
			f := openFleet(t, own, m, false, "node", "go")
			f.settle(t, own)
			for _, o := range outages {
				o.strike(f.store)
				f.whole(t, h.driver)
				for first, direction := range []string{"node to go", "go to node"} {
					for _, c := range []testCase{broadcasts[1], broadcasts[4], acknowledgements[0], operators[0], lookups[0], serverSide[0], named0} {
						t.Run(fmt.Sprintf("%s/%s/%s %s", o.name, direction, c.group, c.name), func(t *testing.T) {
							if got := f.play(t, h.driver, first, c.run); got != c.want {
								t.Errorf("got\n%s\nwant\n%s", got, c.want)
							}
						})
					}
				}
			}
		})
	}
}

// named0 needs a channel that is subscribed to after the outage.
var named0 = rooms[0]

// whole waits until a fleet is as it was.
func (f *fleet) whole(t *testing.T, d *clienttest.Driver) {
	t.Helper()
	for _, one := range f.servers {
		if s, ok := one.server.(*goServer); ok {
			eventually(t, func() (string, bool) {
				err := s.connection.Ready()
				return fmt.Sprint(err), err == nil
			})
		}
	}
	f.connected(t, d)
}

// TestKilledWhileAsked kills a server that was asked who is there, before it has answered.
func TestKilledWhileAsked(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("Node's servers wait for 5 s")
	}
	h := openHall(t)
	for _, m := range modes {
		for _, asker := range []string{"node", "go"} {
			for _, victim := range []string{"node", "go"} {
				t.Run(m.name+"/"+asker+" asks "+victim, func(t *testing.T) {
					t.Parallel()
					killedWhileAsked(t, h, m, asker, victim)
				})
			}
		}
	}
}

// killedWhileAsked is one server that asks, one that answers and one that is stopped, asked and killed.
func killedWhileAsked(t *testing.T, h *hall, m *mode, asker, victim string) {
	own := &hall{t: t, driver: h.driver, store: redistest.Start(t, redistest.Options{})}
	own.once.Do(func() { own.program = h.node(t) })
	f := openFleet(t, own, m, false, asker, "node")
	gone := &member{name: f.prefix + "-victim"}
	var process *clienttest.Program
	if victim == "node" {
		process = clienttest.StartProgram(t, servers)
		gone.server = openNode(t, process, gone.name, f)
	} else {
		child := openChild(t, gone.name, f)
		gone.server, process = child, child.program
	}
	f.servers = append(f.servers, gone)
	f.settle(t, own)
	f.servers = f.servers[:2]
	if err := syscall.Kill(process.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	counted, asked := f.countings(), make(chan error, 1)
	go func() {
		_, err := f.servers[0].try(order{Op: "fetch", Timeout: 1500})
		asked <- err
	}()
	eventually(t, func() (string, bool) { return "nobody was asked", f.countings() > counted })
	process.Kill()
	if err := <-asked; err == nil {
		t.Errorf("%s did not notice that an answer is missing", asker)
	} else {
		t.Logf("%s: %v", asker, err)
	}
	for _, one := range f.servers {
		f.counted(t, one, "/", 2)
		if got := one.do(t, order{Op: "fetch"}); len(got.Sockets) != 4 {
			t.Errorf("%s finds %d sockets when the dead are gone, want 4", one.name, len(got.Sockets))
		}
	}
}

// countings is how often servers have asked Redis how many of them there are, as they do for each request.
func (f *fleet) countings() (n int) {
	for _, line := range strings.Split(f.store.Command("INFO", "commandstats"), "\n") {
		var calls int
		if _, rest, ok := strings.Cut(line, "numsub:calls="); ok {
			if _, err := fmt.Sscanf(rest, "%d", &calls); err == nil {
				n += calls
			}
		}
	}
	return n
}
