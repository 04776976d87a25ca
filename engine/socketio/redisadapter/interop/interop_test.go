package interop_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// pair is a fleet of two, by their kinds.
type pair struct{ name, a, b string }

// pairs are the fleets that every case is run in, as Node's alone say what is right.
var pairs = []pair{
	{"node-node", "node", "node"},
	{"node-go", "node", "go"},
	{"go-go", "go", "go"},
}

// pairsOf are all of them; where tests are to be short, the one with both.
func pairsOf() []pair {
	if testing.Short() {
		return pairs[1:2]
	}
	return pairs
}

// TestInterop runs every case with every adapter, in both directions.
func TestInterop(t *testing.T) {
	t.Parallel()
	h := openHall(t)
	for _, m := range modes {
		for _, p := range pairsOf() {
			t.Run(m.name+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				f := openFleet(t, h, m, false, p.a, p.b)
				f.settle(t, h)
				f.playAll(t, h.driver, p.a, p.b)
				if p.a != p.b {
					f.playAll(t, h.driver, p.b, p.a)
				}
			})
		}
	}
}

// TestVariants runs them with other options of the adapters, and with the other package of clients for Redis.
func TestVariants(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("short")
	}
	h := openHall(t)
	for _, m := range variants {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			f := openFleet(t, h, m, false, "node", "go")
			f.settle(t, h)
			f.playSome(t, h.driver, quick, "node", "go")
			f.playSome(t, h.driver, quick, "go", "node")
		})
	}
}

// quick leaves out what takes seconds.
func quick(c testCase) bool { return !c.long }

// crowd are cases for more servers than two.
var crowd = []testCase{
	{group: "four servers", name: "to everyone", run: news(order{}), want: `a1 a2 b1 b2 c1 c2 d1 d2: news "hi"`},
	{group: "four servers", name: "to a room but another, binary", run: news(order{Rooms: list("red"), Except: list("blue"), Args: list(four)}), want: `a1 b1 c1 d1: news {"$bin":"AQID/w=="}`},
	{group: "four servers", name: "acknowledgements of everyone", run: ask(order{}), want: "answers: \"a1\" \"a2\" \"b1\" \"b2\" \"c1\" \"c2\" \"d1\" \"d2\"\na1 a2 b1 b2 c1 c2 d1 d2: ask"},
	{group: "four servers", name: "acknowledgements of a room", run: ask(order{Rooms: list("blue"), Event: "mirror", Args: list(four)}),
		want: "answers: {\"$bin\":\"AQID/w==\"} {\"$bin\":\"AQID/w==\"} {\"$bin\":\"AQID/w==\"} {\"$bin\":\"AQID/w==\"}\na2 b2 c2 d2: mirror {\"$bin\":\"AQID/w==\"}"},
	{group: "four servers", name: "lookup of all sockets", run: fetch(order{}), want: "found: a1 a2 b1 b2 c1 c2 d1 d2"},
	{group: "four servers", name: "lookup of a room", run: fetch(order{Rooms: list("blue")}), want: "found: a2 b2 c2 d2"},
	{group: "four servers", name: "a question between servers", run: consult("question", "why"), want: "answers: \"why from b\" \"why from c\" \"why from d\""},
	{group: "four servers", name: "sockets join, and leave", run: func(s *scene) {
		s.act(order{Op: "join", Rooms: list("blue"), Targets: list("x1")})
		s.found("x1", 4)
		s.act(order{Op: "leave", Targets: list("x1")})
		s.found("x1", 0)
	}, want: "found: a2 b2 c2 d2\nfound: "},
	{group: "four servers", name: "count themselves", run: func(s *scene) { s.note("%d", s.act(order{Op: "servers"}).Count) }, want: "4"},
}

// TestFourServers has two of Node's and two of ours in one fleet.
func TestFourServers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("short")
	}
	h := openHall(t)
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			f := openFleet(t, h, m, false, "node", "go", "node", "go")
			f.settle(t, h)
			for first, kind := range []string{"node", "go"} {
				f.playList(t, h.driver, crowd, first, kind)
			}
		})
	}
}

// playAll runs all cases with the first server of that kind as a.
func (f *fleet) playAll(t *testing.T, d *clienttest.Driver, a, b string) {
	f.playSome(t, d, func(c testCase) bool { return !c.long || !testing.Short() }, a, b)
}

// playSome runs those that are wanted and that the fleet's adapter can do.
func (f *fleet) playSome(t *testing.T, d *clienttest.Driver, wanted func(testCase) bool, a, b string) {
	first := slices.IndexFunc(f.servers, func(m *member) bool { return strings.Contains(m.name, "-"+a+"-") })
	var some []testCase
	for _, c := range cases() {
		if wanted(c) && c.plays(f.mode, a) {
			some = append(some, c)
		}
	}
	f.playList(t, d, some, first, a+" to "+b)
}

func (f *fleet) playList(t *testing.T, d *clienttest.Driver, list []testCase, first int, direction string) {
	for _, c := range list {
		t.Run(direction+"/"+c.group+" "+c.name, func(t *testing.T) {
			if got := f.play(t, d, first, c.run); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
