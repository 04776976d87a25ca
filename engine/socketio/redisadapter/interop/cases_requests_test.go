package interop_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// ask has server a ask the clients, and notes what comes back.
func ask(o order) func(s *scene) {
	return func(s *scene) {
		o := o
		o.Op = "ask"
		if o.Event == "" {
			o.Event = "ask"
		}
		if o.Timeout == 0 {
			o.Timeout = int(patience.Milliseconds())
		}
		s.noteAnswers(s.act(o))
	}
}

// soon is how long answers are waited for that do not come, in ms.
const soon = 1000

var acknowledgements = []testCase{
	{group: "acknowledgement", name: "of everyone", run: ask(order{Args: list("q")}), want: "answers: \"a1\" \"a2\" \"b1\" \"b2\"\na1 a2 b1 b2: ask \"q\""},
	{group: "acknowledgement", name: "of a room", run: ask(order{Rooms: list("blue")}), want: "answers: \"a2\" \"b2\"\na2 b2: ask"},
	{group: "acknowledgement", name: "of two rooms but one", run: ask(order{Rooms: list("red", "blue"), Except: list("blue")}), want: "answers: \"a1\" \"b1\"\na1 b1: ask"},
	{group: "acknowledgement", name: "of one socket, by its id", run: func(s *scene) {
		ask(order{Rooms: list(s.id("b2"))})(s)
	}, want: "answers: \"b2\"\nb2: ask"},
	{group: "acknowledgement", name: "of another server's alone", run: func(s *scene) {
		ask(order{Rooms: list(s.only("b"))})(s)
	}, want: "answers: \"b1\"\nb1: ask"},
	{group: "acknowledgement", name: "in another namespace", run: ask(order{Namespace: "/chat"}), want: "answers: \"a3\" \"b3\"\na3 b3: ask"},
	{group: "acknowledgement", name: "with binary both ways", run: ask(order{Event: "mirror", Args: list(map[string]any{"x": four})}),
		want: `answers: {"x":{"$bin":"AQID/w=="}} {"x":{"$bin":"AQID/w=="}} {"x":{"$bin":"AQID/w=="}} {"x":{"$bin":"AQID/w=="}}` + "\n" + `a1 a2 b1 b2: mirror {"x":{"$bin":"AQID/w=="}}`},
	{group: "acknowledgement", name: "of some, until the time is over", run: ask(order{Event: "half", Timeout: soon}),
		want: "answers: \"a1\" \"b1\", some missing\na1 a2 b1 b2: half", long: true},
	{group: "acknowledgement", name: "of nobody", run: ask(order{Rooms: list("nowhere")}), want: "answers: "},
	{group: "acknowledgement", name: "of a client that goes before it answers", run: func(s *scene) {
		v := s.visitor("b")
		s.members[1].do(s.T, order{Op: "enter", ID: v.ID(), Targets: list("leaving")})
		s.f.subscribed(s.T, "/", "leaving", 1)
		ask(order{Rooms: list("leaving"), Event: "half", Timeout: soon})(s)
	}, want: "answers: , some missing", long: true},
	{group: "acknowledgement", name: "of a socket that was fetched", run: func(s *scene) {
		s.noteAnswers(s.act(order{Op: "remote", Verb: "ask", ID: s.id("b1"), Event: "mirror", Args: list(list(1, "x")), Timeout: int(patience.Milliseconds())}))
	}, want: "answers: [1,\"x\"]\nb1: mirror [1,\"x\"]"},
	{group: "acknowledgement", name: "of a socket that was fetched, until the time is over", run: func(s *scene) {
		s.noteAnswers(s.act(order{Op: "remote", Verb: "ask", ID: s.id("b2"), Event: "half", Timeout: soon}))
	}, want: "answers: , some missing\nb2: half", long: true},
}

// found waits until server a finds n sockets in a room, and notes them.
func (s *scene) found(room any, n int) {
	s.Helper()
	var r result
	eventually(s.T, func() (string, bool) {
		r = s.act(order{Op: "fetch", Rooms: list(room)})
		return fmt.Sprintf("%d sockets in %v, want %d", len(r.Sockets), room, n), len(r.Sockets) == n
	})
	s.noteSockets(r)
}

// operators do something to sockets elsewhere.
var operators = []testCase{
	{group: "sockets", name: "of a room join, and leave", run: func(s *scene) {
		s.act(order{Op: "join", Rooms: list("blue"), Targets: list("x1", "x2")})
		s.found("x1", 2)
		s.found("x2", 2)
		s.act(order{Op: "leave", Rooms: list("x1"), Targets: list("x1", "x2")})
		s.found("x1", 0)
		s.found("x2", 0)
	}, want: "found: a2 b2\nfound: a2 b2\nfound: \nfound: "},
	{group: "sockets", name: "of a room but another join, and leave", run: func(s *scene) {
		s.act(order{Op: "join", Rooms: list("red"), Except: list("blue"), Targets: list("x3")})
		s.found("x3", 2)
		s.act(order{Op: "leave", Rooms: list("x3"), Except: list(s.only("a")), Targets: list("x3")})
		s.found("x3", 1)
		s.act(order{Op: "leave", Targets: list("x3")})
		s.found("x3", 0)
	}, want: "found: a1 b1\nfound: a1\nfound: "},
	{group: "sockets", name: "that have joined so are in the room", run: func(s *scene) {
		s.act(order{Op: "join", Rooms: list(s.only("b")), Targets: list("x4")})
		s.found("x4", 1)
		s.f.subscribed(s.T, "/", "x4", 1)
		news(order{Rooms: list("x4")})(s)
		s.client("b1").Wait("news", 1)
		s.act(order{Op: "leave", Targets: list("x4")})
		s.found("x4", 0)
		news(order{Rooms: list("x4")})(s)
	}, want: "found: b1\nfound: "},
	{group: "sockets", name: "one that was fetched joins, and leaves", run: func(s *scene) {
		s.act(order{Op: "remote", Verb: "join", ID: s.id("b2"), Targets: list("x5", "x6")})
		s.found("x6", 1)
		s.act(order{Op: "remote", Verb: "leave", ID: s.id("b2"), Targets: list("x5", "x6")})
		s.found("x6", 0)
	}, want: "found: b2\nfound: "},
	{group: "sockets", name: "one that was fetched is sent something", run: func(s *scene) {
		s.act(order{Op: "remote", Verb: "emit", ID: s.id("b2"), Event: "news", Args: list("for you", four)})
	}, want: `b2: news "for you" {"$bin":"AQID/w=="}`},
	{group: "sockets", name: "are disconnected", run: func(s *scene) { disconnected(s, false) },
		want: "a: io server disconnect; /chat open\nb: io server disconnect; /chat open"},
	{group: "sockets", name: "are disconnected, and hung up on", run: func(s *scene) { disconnected(s, true) },
		want: "a: io server disconnect; /chat io server disconnect\nb: io server disconnect; /chat io server disconnect"},
	{group: "sockets", name: "one that was fetched is disconnected", run: func(s *scene) {
		v := s.visitor("b")
		s.act(order{Op: "remote", Verb: "disconnect", ID: v.ID(), Close: true})
		s.note("%s", v.WaitDisconnect().Reason)
	}, want: "io server disconnect"},
}

// disconnected has server a disconnect visitors of both servers that have two namespaces each.
func disconnected(s *scene, hangUp bool) {
	var visitors, chats []*clienttest.Client
	for i, m := range s.members {
		v := s.visitor(string(rune('a' + i)))
		c, refusal := v.Of("/chat", nil)
		if refusal != nil {
			s.Fatal(refusal)
		}
		visitors, chats = append(visitors, v), append(chats, c)
		m.do(s.T, order{Op: "enter", ID: v.ID(), Targets: list("leaving")})
		m.do(s.T, order{Op: "enter", Namespace: "/chat", ID: c.ID(), Targets: list("staying")})
	}
	s.act(order{Op: "disconnect", Rooms: list("leaving"), Close: hangUp})
	for i := range s.members {
		line := fmt.Sprintf("%c: %s; /chat ", 'a'+i, visitors[i].WaitDisconnect().Reason)
		if hangUp {
			line += chats[i].WaitDisconnect().Reason
		} else {
			s.members[i].do(s.T, order{Op: "emit", Namespace: "/chat", Rooms: list("staying"), Local: true, Event: "open"})
			chats[i].Wait("open", 1)
			line += "open"
			chats[i].Disconnect()
		}
		s.note("%s", line)
	}
}

// lookups ask who is there.
var lookups = []testCase{
	{group: "lookup", name: "of all sockets", run: fetch(order{}), want: "found: a1 a2 b1 b2"},
	{group: "lookup", name: "of a room", run: fetch(order{Rooms: list("blue")}), want: "found: a2 b2"},
	{group: "lookup", name: "of all but a room", run: fetch(order{Except: list("blue")}), want: "found: a1 b1"},
	{group: "lookup", name: "of one socket, by its id", run: func(s *scene) { fetch(order{Rooms: list(s.id("b1"))})(s) }, want: "found: b1"},
	{group: "lookup", name: "of this server's", run: fetch(order{Local: true}), want: "found: a1 a2"},
	{group: "lookup", name: "of nobody", run: fetch(order{Rooms: list("nowhere")}), want: "found: "},
	{group: "lookup", name: "with no other server", run: func(s *scene) {
		fetch(order{Namespace: lonely(s.a().name)})(s)
		s.note("servers: %d", s.act(order{Op: "servers", Namespace: lonely(s.a().name)}).Count)
	}, want: "found: \nservers: 1"},
	{group: "lookup", name: "tells rooms, data and handshake", run: func(s *scene) {
		s.members[1].do(s.T, order{Op: "label", ID: s.id("b2"), Label: "called so"})
		for _, f := range s.act(order{Op: "fetch", Rooms: list(s.id("b2"))}).Sockets {
			slices.Sort(f.Rooms)
			f.Rooms = slices.DeleteFunc(f.Rooms, func(room string) bool { return room == s.id("b2") })
			h := f.Handshake
			s.note("%s: %s; %s %s %s %s %v %v %s %v", f.ID, strings.Join(f.Rooms, " "), f.Label, h.Query, h.Auth, h.Header, h.Secure, h.XDomain, h.Path, h.Recent)
			s.note("%v", strings.TrimPrefix(h.Address, "::ffff:"))
		}
	}, want: "b2: blue red; called so query2 token2 header2 false false /socket.io/ true\n127.0.0.1"},
	{group: "lookup", name: "of how many servers there are", run: func(s *scene) {
		s.note("%d and %d", s.act(order{Op: "servers"}).Count, s.act(order{Op: "servers", Namespace: "/chat"}).Count)
	}, want: "2 and 2"},
	{group: "lookup", name: "of all rooms", in: []string{"classic"}, run: func(s *scene) {
		var named []string
		for _, room := range s.act(order{Op: "rooms"}).Rooms {
			if len(room) != 20 { // which are sockets' ids; they count as rooms in Node
				named = append(named, s.readable(room))
			}
		}
		slices.Sort(named)
		s.note("%s", strings.Join(named, ", "))
	}, want: "blue, only a, only b, red"},
}

func fetch(o order) func(s *scene) {
	return func(s *scene) {
		o := o
		o.Op = "fetch"
		s.noteSockets(s.act(o))
	}
}

// serverSide is what servers say to each other.
var serverSide = []testCase{
	{group: "between servers", name: "an event", run: tell("/", list("x", 1, nil, map[string]any{"n": 1.5})), want: `heard: ["x",1,null,{"n":1.5}]`},
	{group: "between servers", name: "an event in another namespace", run: tell("/chat", list("x")), want: `heard: ["x"]`},
	{group: "between servers", name: "an event without arguments", run: tell("/", nil), want: `heard: []`},
	{group: "between servers", name: "an event with binary", in: []string{"sharded", "streams"}, run: tell("/", list(four, map[string]any{"b": four})),
		want: `heard: [{"$bin":"AQID/w=="},{"b":{"$bin":"AQID/w=="}}]`},
	{group: "between servers", name: "an event with binary", in: []string{"classic"}, run: tell("/", list(four)), want: `heard: [{"data":[1,2,3,255],"type":"Buffer"}]`},
	{group: "between servers", name: "several events, in their order", run: func(s *scene) {
		for i := range 20 {
			s.act(order{Op: "tell", Event: "hello", Args: list(i)})
		}
		var heard []string
		for _, args := range s.members[1].do(s.T, order{Op: "heard", N: 20}).Heard {
			heard = append(heard, plain(args[0]))
		}
		s.note("heard: %s", strings.Join(heard, " "))
	}, want: "heard: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19"},
	{group: "between servers", name: "a question", run: consult("question", "why"), want: `answers: "why from b"`},
	{group: "between servers", name: "a question with an object", run: consult("mirror", map[string]any{"a": list(1, nil)}), want: `answers: {"a":[1,null]}`},
	{group: "between servers", name: "a question with binary", in: []string{"sharded", "streams"}, run: consult("mirror", map[string]any{"a": four}), want: `answers: {"a":{"$bin":"AQID/w=="}}`},
	{group: "between servers", name: "a question to nobody", run: func(s *scene) {
		s.noteAnswers(s.act(order{Op: "consult", Namespace: lonely(s.a().name), Event: "question", Args: list("why")}))
	}, want: "answers: "},
	{group: "between servers", name: "a question that is not answered", run: consult("silence", 1), want: "answers: , some missing", long: true},
}

func tell(namespace string, args []any) func(s *scene) {
	return func(s *scene) {
		s.act(order{Op: "tell", Namespace: namespace, Event: "hello", Args: args})
		s.note("heard: %s", plain(s.members[1].do(s.T, order{Op: "heard", Namespace: namespace, N: 1}).Heard[0]))
	}
}

func consult(event string, arg any) func(s *scene) {
	return func(s *scene) {
		s.noteAnswers(s.act(order{Op: "consult", Event: event, Args: list(arg)}))
	}
}
