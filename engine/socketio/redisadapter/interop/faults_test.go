package interop_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// fault is what happens to a fleet of three servers that all send numbers to everyone. The last of them is alone behind a
// proxy, and with a killed server it is a process of its own.
type fault struct {
	name   string
	redis  redistest.Options
	strike func(r *run)       // it begins, lasts, and ends
	lossy  func(m *mode) bool // whether something may be lost
	killed bool               // the last server is, and does not come back
	in     func(m *mode) bool // where it makes sense; nil for everywhere
}

// pubSub is lossy where messages are only told to those who listen.
func pubSub(m *mode) bool { return m.adapter != "streams" }

func always(*mode) bool { return true }
func never(*mode) bool  { return false }

// window is how long something is away: 1 s, or what the variable says, such as 30s.
func window() time.Duration {
	d, err := time.ParseDuration(cmp.Or(os.Getenv("FANFARE_FAULT_WINDOW"), "1s"))
	if err != nil {
		panic(err)
	}
	return d
}

var faults = []fault{
	{name: "the subscribers' connections are killed", lossy: pubSub, strike: func(r *run) {
		for range 3 {
			r.db.Command("CLIENT", "KILL", "TYPE", "pubsub")
			r.deliver(20)
		}
	}},
	{name: "all connections are killed", lossy: pubSub, strike: func(r *run) {
		r.db.Command("CLIENT", "KILL", "TYPE", "pubsub")
		r.db.Command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	}},
	{name: "Redis is killed and comes back, with AOF", redis: redistest.Options{AOF: true}, lossy: pubSub, strike: func(r *run) {
		r.db.Kill()
		r.pause()
		r.db.Start()
	}},
	{name: "Redis is killed and comes back empty", lossy: always, strike: func(r *run) {
		r.db.Kill()
		r.pause()
		r.db.Start()
	}},
	{name: "Redis stands still", lossy: pubSub, strike: func(r *run) {
		r.db.Stop()
		r.pause()
		r.db.Continue()
	}},
	{name: "one server is cut off in silence", lossy: pubSub, strike: func(r *run) {
		r.proxy.Hold()
		r.pause()
		r.proxy.Cut()
		r.proxy.Forward()
	}},
	{name: "one server is cut off for a while, and nothing notices", lossy: pubSub, strike: func(r *run) {
		r.proxy.Hold()
		r.pause()
		r.proxy.Forward()
	}, in: func(*mode) bool { return window() < 3*time.Second }},
	{name: "a peer sends what is no message", lossy: never, strike: malformed},
	{name: "a server is killed", lossy: never, killed: true, strike: func(r *run) {
		r.f.servers[2].server.(*childServer).program.Kill()
	}},
}

// run is one fault in one mode.
type run struct {
	*testing.T
	f       *fleet
	db      *redistest.Server
	proxy   *redistest.Proxy
	driver  *clienttest.Driver
	group   *clienttest.Group
	clients []*clienttest.Client
	got     [][][]int // by receiver and sender, in the order of arrival
}

// TestFaults has Redis, its connections and servers fail while numbers are sent, and looks at what every receiver has got:
// nothing twice, nothing out of order, and gaps only where they may be, each of them reported.
func TestFaults(t *testing.T) {
	t.Parallel()
	driver := clienttest.Start(t)
	for _, m := range modes {
		for _, k := range faults {
			if k.in != nil && !k.in(m) || testing.Short() && (m.adapter == "sharded" || !strings.Contains(k.name, "kill")) {
				continue
			}
			t.Run(m.name+"/"+k.name, func(t *testing.T) {
				t.Parallel()
				r := begin(t, m, k, driver)
				r.deliver(200) // which is 2 s, so that servers have told each other how much they have sent
				marks := r.sent()
				r.caughtUp(marks)
				k.strike(r)
				r.healed()
				r.deliver(20)
				r.judge(k, marks)
			})
		}
	}
}

// begin opens three servers with a client each, and has them send.
func begin(t *testing.T, m *mode, k fault, d *clienttest.Driver) *run {
	t.Helper()
	r := &run{T: t, db: redistest.Start(t, k.redis), driver: d}
	r.proxy = redistest.NewProxy(t, r.db.Addr)
	r.f = &fleet{mode: m, redis: r.db.URL, prefix: fmt.Sprintf("fleet%d", fleets.Add(1)), store: r.db}
	for i := range 3 {
		one := &member{name: fmt.Sprintf("%s-go-%d", r.f.prefix, i)}
		behind := *r.f
		if i == 2 {
			behind.redis = "redis://" + r.proxy.Addr
		}
		if i == 2 && k.killed {
			one.server = openChild(t, one.name, &behind)
		} else {
			one.server = openGo(t, one.name, &behind)
		}
		r.f.servers = append(r.f.servers, one)
	}
	for _, one := range r.f.servers {
		r.f.counted(t, one, "/", 3)
		r.clients = append(r.clients, d.Connect(t, clienttest.ClientOptions{URL: one.url(), Transports: clienttest.WebSocket}))
	}
	r.group = d.Group(t, r.clients...)
	r.got = make([][][]int, 3)
	for i := range r.got {
		r.got[i] = make([][]int, 3)
	}
	for i, one := range r.f.servers {
		one.do(t, order{Op: "pump", Event: "n", Args: list(i), N: 100})
	}
	return r
}

// collect takes what the clients have got since.
func (r *run) collect() {
	r.Helper()
	for i, got := range r.group.Drain() {
		for _, args := range got["n"] {
			var sender, number int
			if err := json.Unmarshal(args[0], &sender); err != nil {
				r.Fatal(err)
			}
			if err := json.Unmarshal(args[1], &number); err != nil {
				r.Fatal(err)
			}
			r.got[i][sender] = append(r.got[i][sender], number)
		}
	}
}

// deliver waits until that many more numbers have come from every living server to itself.
func (r *run) deliver(n int) {
	r.Helper()
	goal := make([]int, len(r.got))
	r.collect()
	for i := range goal {
		goal[i] = len(r.got[i][i]) + n
	}
	eventually(r, func() (string, bool) {
		r.collect()
		for i := range goal {
			if r.alive(i) && len(r.got[i][i]) < goal[i] {
				return fmt.Sprintf("%d of %d numbers of server %d", len(r.got[i][i]), goal[i], i), false
			}
		}
		return "", true
	})
}

func (r *run) alive(i int) bool {
	k, ok := r.f.servers[i].server.(*childServer)
	return !ok || k.program.Alive()
}

// pause lets the window pass, in which local clients go on getting what their server sends.
func (r *run) pause() {
	r.Helper()
	r.deliver(int(window().Seconds() * 90))
}

// sent is how far every server is, as its own client knows.
func (r *run) sent() []int {
	r.Helper()
	r.collect()
	var marks []int
	for i := range r.got {
		marks = append(marks, len(r.got[i][i]))
	}
	return marks
}

// healed waits until all servers are ready, and what each of them sends then has come to all the others.
func (r *run) healed() {
	r.Helper()
	eventually(r, func() (string, bool) {
		for i, one := range r.f.servers {
			if s, ok := one.server.(*goServer); ok {
				if err := s.connection.Ready(); err != nil {
					return fmt.Sprintf("server %d: %v", i, err), false
				}
			}
		}
		return "", true
	})
	r.caughtUp(r.sent())
}

// caughtUp waits until every receiver has something of every server that is no older than the marks.
func (r *run) caughtUp(marks []int) {
	r.Helper()
	eventually(r, func() (string, bool) {
		r.collect()
		for i := range r.got {
			for j := range r.got {
				if r.alive(i) && r.alive(j) && (len(r.got[i][j]) == 0 || r.got[i][j][len(r.got[i][j])-1] < marks[j]) {
					return fmt.Sprintf("receiver %d has nothing new of server %d", i, j), false
				}
			}
		}
		return "", true
	})
}

// judge halts everybody and compares.
func (r *run) judge(k fault, marks []int) {
	r.Helper()
	sent := make([]int, len(r.got))
	for i, one := range r.f.servers {
		if r.alive(i) {
			sent[i] = one.do(r.T, order{Op: "halt"}).Count
		}
	}
	alive := r.group
	if k.killed {
		alive = r.driver.Group(r.T, r.clients[:2]...)
		sent[2] = r.last(2)
	}
	for i, one := range r.f.servers {
		if r.alive(i) {
			one.do(r.T, order{Op: "emit", Event: "fence"})
		}
	}
	n := len(r.f.servers)
	if k.killed {
		n--
	}
	alive.Wait("fence", n)
	r.collect()
	for i := range r.got {
		if r.alive(i) {
			r.receiver(i, k, marks, sent)
		}
	}
}

// last is one more than the greatest number that anybody has of a server that is gone.
func (r *run) last(sender int) int {
	n := 0
	for i := range r.got {
		if g := r.got[i][sender]; len(g) > 0 {
			n = max(n, g[len(g)-1]+1)
		}
	}
	return n
}

// receiver looks at what one client has got, and at what its server knows of what is missing.
func (r *run) receiver(i int, k fault, marks, sent []int) {
	r.Helper()
	missing := 0
	var line []string
	for j := range r.got {
		got := r.got[i][j]
		line = append(line, fmt.Sprintf("%d/%d", len(got), sent[j]))
		for x := 1; x < len(got); x++ {
			if got[x] <= got[x-1] {
				r.Errorf("receiver %d: %d of server %d after %d: twice, or out of order", i, got[x], j, got[x-1])
				return
			}
		}
		if k.killed && j == 2 {
			r.tail(i, got)
			continue
		}
		missing += sent[j] - len(got)
		for x, n := range got {
			if x < marks[j] && n != x {
				r.Errorf("receiver %d: %d of server %d is missing, from before it all began", i, x, j)
				break
			}
		}
	}
	s, ok := r.f.servers[i].server.(*goServer)
	if !ok {
		return
	}
	defer func() { r.Logf("receiver %d: delivered/sent %s; %s", i, strings.Join(line, ", "), reported(s)) }()
	if missing > 0 && !k.lossy(r.f.mode) {
		r.Errorf("receiver %d: %d numbers are missing", i, missing)
	}
	if r.f.mode.adapter == "streams" {
		r.gapsKnown(i, s, missing)
		return
	}
	eventually(r, func() (string, bool) {
		lost := s.connection.Stats().Cluster.Lost
		return fmt.Sprintf("receiver %d misses %d, its server reports %d", i, missing, lost), lost == uint64(missing)
	})
}

// gapsKnown requires that a server which has lost part of a stream knows of it.
func (r *run) gapsKnown(i int, s *goServer, missing int) {
	if st := s.connection.Stats().Streams; missing > 0 && st.Gaps == 0 {
		r.Errorf("receiver %d misses %d, and its server knows of no gap", i, missing)
	}
}

// tail requires that of a killed server nothing is missing but its last words.
func (r *run) tail(i int, got []int) {
	for x, n := range got {
		if n != x {
			r.Errorf("receiver %d: %d of the killed server is missing, though later ones came", i, x)
			return
		}
	}
}

func reported(s *goServer) string {
	st := s.connection.Stats()
	return fmt.Sprintf("lost %d, unknown %d+%d, dropped %d+%d, connections lost %d, down %v, malformed %d, stream gaps %d", st.Cluster.Lost, st.Unknown, st.Streams.Unknown,
		st.Outbox.Dropped, st.Streams.Appending.Dropped, st.Gaps, st.Down.Round(time.Millisecond), st.Malformed+st.Cluster.Malformed, st.Streams.Gaps)
}

// malformed publishes what no server would, wherever this mode listens.
func malformed(r *run) {
	bodies := []string{
		"", "{", "}", "null", "[]", "{}", `{"type":3}`, `{"uid":"x","nsp":"/","type":3,"data":{}}`, `{"uid":"x","nsp":"/","type":99,"data":{}}`,
		`{"uid":"x","nsp":"/","type":3,"data":{"packet":{"type":2,"data":["n"]},"opts":{"rooms":"red"}}}`, `{"uid":"x","nsp":"/","type":7,"data":{"opts":7}}`,
		"\x93", "\xdd\xff\xff\xff\xff", "\xc6\xff\xff\xff\xff", "\x93\xa1x\x83\xa4type\x02", strings.Repeat("\x91", 10_000), strings.Repeat("[", 100_000), "\xff\xfe\x00",
		`{"uid":"x","type":7}`, `{"type":2,"opts":null,"rooms":{"a":1}}`, `{"requestId":7,"type":9}`,
	}
	prefix := r.f.prefix
	for _, body := range bodies {
		switch r.f.mode.adapter {
		case "classic":
			for _, channel := range []string{prefix + "#/#", prefix + "#/#red#", prefix + "-request#/#", prefix + "-response#/#"} {
				r.db.Command("PUBLISH", channel, body)
			}
		case "sharded":
			r.db.Command("SPUBLISH", prefix+"#/#", body)
		case "streams":
			r.db.Command("PUBLISH", prefix+"#/#", body)
			r.db.Command("XADD", prefix, "*", "uid", "x", "nsp", "/", "type", "3", "data", body)
			r.db.Command("XADD", prefix, "*", "nsp", "/", "rest", body)
		}
	}
	eventually(r, func() (string, bool) {
		for i, one := range r.f.servers {
			st := one.server.(*goServer).connection.Stats()
			if n := st.Malformed + st.Cluster.Malformed; n == 0 {
				return fmt.Sprintf("server %d has noticed nothing", i), false
			}
		}
		return "", true
	})
}
