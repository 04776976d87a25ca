package cluster_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
)

// movesOf is how many times clients are cut off or move, in all: MOVES in the
// environment, or as many as there is time for.
func movesOf(t *testing.T, otherwise int) int {
	if s := os.Getenv("MOVES"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return otherwise / 5
	}
	return otherwise
}

// Clients are cut off at random and come back anywhere, while every server emits to
// everyone, to rooms and to single sockets. Each client gets everything that is for it
// once, and all of them in one order.
func TestClientsMoveWhileEventsFlow(t *testing.T) {
	t.Parallel()
	const clients, rooms = 8, 4
	moves := movesOf(t, 1000)
	w := newTown(t, new(clustertest.Journal), 3, cluster.TailOptions{Patience: patience}, false)
	defer w.close()
	random := rand.New(rand.NewPCG(3, 4))
	var all []*roamer
	var sids []string
	for i := range clients {
		c := newRoamer(t)
		at := i % 3
		c.connect(w.servers[at])
		ok(t, w.socket(at, c.sid).Join(fmt.Sprint("room", i%rooms)))
		all, sids = append(all, c), append(sids, c.sid)
	}
	tickets, stopped := make(chan struct{}, 8), make(chan struct{})
	want := make([][]string, clients)
	go func() {
		defer close(stopped)
		r := rand.New(rand.NewPCG(5, 6))
		n := 0
		for range tickets {
			n++
			from, who := w.servers[r.IntN(3)], r.IntN(clients)
			e := fmt.Sprintf(`["n",%d]`, n)
			var is func(i int) bool
			var err error
			switch r.IntN(4) {
			case 0:
				is = func(int) bool { return true }
				err = from.Emit("n", n)
			case 1:
				is = func(i int) bool { return i%rooms == who%rooms }
				err = from.To(fmt.Sprint("room", who%rooms)).Emit("n", n)
			case 2:
				is = func(i int) bool { return i%rooms != who%rooms }
				err = from.Except(fmt.Sprint("room", who%rooms)).Emit("n", n)
			case 3:
				is = func(i int) bool { return i == who }
				err = from.To(sids[who]).Emit("n", n)
			}
			ok(t, err)
			for i := range want {
				if is(i) {
					want[i] = append(want[i], e)
				}
			}
		}
	}()
	for range moves {
		for range random.IntN(20) {
			tickets <- struct{}{}
		}
		c := all[random.IntN(clients)]
		c.vanish(random.IntN(3) > 0)
		if random.IntN(2) == 0 {
			time.Sleep(time.Duration(random.IntN(1000)) * time.Microsecond)
		}
		if !c.connect(w.servers[random.IntN(3)]) {
			w.fail("not recovered")
			return
		}
	}
	close(tickets)
	<-stopped
	for i, c := range all {
		c.mu.Lock()
		away := c.line == nil
		c.mu.Unlock()
		if away && !c.connect(w.servers[0]) {
			t.Fatal("not recovered")
		}
		for from, io := range w.servers {
			ok(t, io.To(c.sid).Emit("end", i, from))
		}
		ends := []string{fmt.Sprintf(`["end",%d,0]`, i), fmt.Sprintf(`["end",%d,1]`, i), fmt.Sprintf(`["end",%d,2]`, i)}
		c.wait("the end", func() bool {
			return !slices.ContainsFunc(ends, func(e string) bool { return !slices.Contains(c.got, e) })
		})
		once(t, fmt.Sprint("client ", i), c.events(), append(want[i], ends...))
	}
	oneOrder(t, all)
	t.Logf("%d moves, %d events for %d clients", moves, len(slices.Concat(want...)), clients)
}

// once requires that got has the same events as want, in the order of each sender.
func once(t tb, who string, got, want []string) {
	t.Helper()
	count := make(map[string]int)
	for _, e := range got {
		count[e]++
	}
	for _, e := range want {
		count[e]--
	}
	for e, n := range count {
		switch {
		case n > 0:
			t.Errorf("%s: %d times too often: %s", who, n, e)
		case n < 0:
			t.Errorf("%s: lacks %s", who, e)
		}
	}
}

// oneOrder requires that no two clients got two events in another order.
func oneOrder(t tb, all []*roamer) {
	t.Helper()
	for i, a := range all {
		place := make(map[string]int)
		for n, e := range a.events() {
			place[e] = n
		}
		for _, b := range all[i+1:] {
			last := -1
			for _, e := range b.events() {
				n, both := place[e]
				if !both {
					continue
				}
				if n < last {
					t.Errorf("two orders: %s", e)
					return
				}
				last = n
			}
		}
	}
}
