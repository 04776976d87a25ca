package interop_test

import "slices"

// testCase is one thing that servers do together, and what Node's servers make of it. The same is expected of every
// other pair.
type testCase struct {
	group string // for the table of docs/clusters.md
	name  string
	run   func(s *scene)
	want  string
	in    []string // adapters that can do it; empty for all
	long  bool     // it takes seconds
}

// plays reports whether a server of this kind can be the one that acts in the case.
func (c *testCase) plays(m *mode, kind string) bool {
	switch {
	case c.in != nil && !slices.Contains(c.in, m.adapter):
		return false
	case c.group != "emitter":
		return true
	case m.ours.Streams.Count > 1:
		return false // an emitter is for one of them
	}
	return kind == "go" || m.adapter == "classic" // Node's for streams is not on npm
}

// cases are all of them.
func cases() []testCase {
	return slices.Concat(broadcasts, payloads, rooms, acknowledgements, operators, lookups, serverSide, emitters)
}

// news sends server a's "news", with "hi" where nothing else is said.
func news(o order) func(s *scene) {
	return func(s *scene) {
		o := o
		if o.Op == "" {
			o.Op = "emit"
		}
		o.Event = "news"
		if o.Args == nil {
			o.Args = []any{"hi"}
		}
		s.act(o)
	}
}

func list(rooms ...any) []any { return rooms }

// broadcasts are about who is meant.
var broadcasts = []testCase{
	{group: "broadcast", name: "to everyone", run: news(order{}), want: `a1 a2 b1 b2: news "hi"`},
	{group: "broadcast", name: "to a room", run: news(order{Rooms: list("red")}), want: `a1 a2 b1 b2: news "hi"`},
	{group: "broadcast", name: "to a room of another server", run: func(s *scene) {
		news(order{Rooms: list(s.only("b"))})(s)
	}, want: `b1: news "hi"`},
	{group: "broadcast", name: "to two rooms, once to who is in both", run: func(s *scene) {
		news(order{Rooms: list("blue", s.only("b"), "red")})(s)
	}, want: `a1 a2 b1 b2: news "hi"`},
	{group: "broadcast", name: "to two rooms of two servers", run: func(s *scene) {
		news(order{Rooms: list(s.only("a"), s.only("b"))})(s)
	}, want: `a1 b1: news "hi"`},
	{group: "broadcast", name: "to everyone but a room", run: news(order{Except: list("blue")}), want: `a1 b1: news "hi"`},
	{group: "broadcast", name: "to a room but another", run: func(s *scene) {
		news(order{Rooms: list("red"), Except: list("blue", s.only("a"))})(s)
	}, want: `b1: news "hi"`},
	{group: "broadcast", name: "to a socket's id", run: func(s *scene) {
		news(order{Rooms: list(s.id("b2"))})(s)
	}, want: `b2: news "hi"`},
	{group: "broadcast", name: "to everyone but a socket's id", run: func(s *scene) {
		news(order{Except: list(s.id("b2"), s.id("a1"))})(s)
	}, want: `a2 b1: news "hi"`},
	{group: "broadcast", name: "by a socket, to the others", run: func(s *scene) {
		news(order{From: s.id("a1")})(s)
	}, want: `a2 b1 b2: news "hi"`},
	{group: "broadcast", name: "by a socket, to a room", run: func(s *scene) {
		news(order{From: s.id("a2"), Rooms: list("blue")})(s)
	}, want: `b2: news "hi"`},
	{group: "broadcast", name: "to a room that nobody is in", run: news(order{Rooms: list("nowhere")}), want: ``},
	{group: "broadcast", name: "in another namespace", run: news(order{Namespace: "/chat", Rooms: list("red")}), want: `a3 b3: news "hi"`},
	{group: "broadcast", name: "volatile", run: news(order{Volatile: true}), want: `a1 a2 b1 b2: news "hi"`},
	{group: "broadcast", name: "without compression", run: news(order{NoCompress: true, Rooms: list("blue")}), want: `a2 b2: news "hi"`},
	{group: "broadcast", name: "local", run: news(order{Local: true}), want: `a1 a2: news "hi"`},
	{group: "broadcast", name: "local, to a room", run: news(order{Local: true, Rooms: list("blue")}), want: `a2: news "hi"`},
	{group: "broadcast", name: "200 in a row, in their order", run: func(s *scene) {
		s.act(order{Op: "sequence", Event: "count", N: 200})
		for _, name := range []string{"a1", "b1", "b2"} {
			for i, args := range s.client(name).Wait("count", 200) {
				if plain(args[0]) != plain(i) {
					s.Fatalf("%s has %s where %d was expected", name, args[0], i)
				}
			}
		}
		s.client("a2").Wait("count", 200)
	}, want: ``},
	{group: "broadcast", name: "in a dynamic namespace", run: func(s *scene) { apart(s, "/dynamic-1") }, want: "visitors: hi, hi"},
	{group: "broadcast", name: "in a namespace with *", run: func(s *scene) { apart(s, odd) }, want: "visitors: hi, hi"},
	{group: "broadcast", name: "in a namespace with [", in: []string{"sharded", "streams"}, run: func(s *scene) { apart(s, odder) }, want: "visitors: hi, hi"},
}

// apart sends something in a namespace that a client of each server joins for it.
func apart(s *scene, namespace string) {
	a, refusedA := s.visitor("a").Of(namespace, nil)
	b, refusedB := s.visitor("b").Of(namespace, nil)
	if refusedA != nil || refusedB != nil {
		s.Fatal(refusedA, refusedB)
	}
	for _, m := range s.members {
		s.f.counted(s.T, m, namespace, len(s.members))
	}
	news(order{Namespace: namespace})(s)
	hiA, hiB := a.Wait("news", 1), b.Wait("news", 1)
	s.note("visitors: %s, %s", unquoted(hiA[0][0]), unquoted(hiB[0][0]))
}

func unquoted(raw []byte) string {
	if len(raw) >= 2 && raw[0] == '"' {
		return string(raw[1 : len(raw)-1])
	}
	return string(raw)
}
