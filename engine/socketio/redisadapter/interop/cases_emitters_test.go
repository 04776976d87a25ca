package interop_test

// emitters are processes without a server: Node's package where server a is Node's, and ours where it is ours.
var emitters = []testCase{
	{group: "emitter", name: "to everyone", run: serverless(order{}), in: withEmitter, want: `a1 a2 b1 b2: news "hi"`},
	{group: "emitter", name: "to a room but another, volatile, with binary", in: withEmitter,
		run: serverless(order{Rooms: list("red"), Except: list("blue"), Volatile: true, Args: list(four)}), want: `a1 b1: news {"$bin":"AQID/w=="}`},
	{group: "emitter", name: "to two rooms", run: serverless(order{Rooms: list("blue", "red")}), in: withEmitter, want: `a1 a2 b1 b2: news "hi"`},
	{group: "emitter", name: "in another namespace", run: serverless(order{Namespace: "/chat", Rooms: list("red")}), in: withEmitter, want: `a3 b3: news "hi"`},
	{group: "emitter", name: "sockets join, and leave", in: withEmitter, run: func(s *scene) {
		s.act(order{Op: "emitter", Verb: "join", Rooms: list("blue"), Targets: list("x7")})
		s.found("x7", 2)
		s.act(order{Op: "emitter", Verb: "leave", Rooms: list("x7"), Targets: list("x7")})
		s.found("x7", 0)
	}, want: "found: a2 b2\nfound: "},
	{group: "emitter", name: "sockets are disconnected", in: withEmitter, run: func(s *scene) {
		v, w := s.visitor("a"), s.visitor("b")
		s.act(order{Op: "emitter", Verb: "disconnect", Rooms: list(v.ID(), w.ID()), Close: true})
		s.note("%s, %s", v.WaitDisconnect().Reason, w.WaitDisconnect().Reason)
	}, want: "io server disconnect, io server disconnect"},
	{group: "emitter", name: "an event for the servers", in: withEmitter, run: func(s *scene) {
		s.act(order{Op: "emitter", Verb: "tell", Event: "hello", Args: list("x", 1)})
		for _, m := range s.members {
			s.note("heard: %s", plain(m.do(s.T, order{Op: "heard", N: 1}).Heard[0]))
		}
	}, want: "heard: [\"x\",1]\nheard: [\"x\",1]"},
}

// withEmitter names the adapters that there are emitters for; Node's for streams is not on npm.
var withEmitter = []string{"classic", "streams"}

func serverless(o order) func(s *scene) {
	return func(s *scene) {
		o := o
		o.Op, o.Verb, o.Event = "emitter", "emit", "news"
		if o.Args == nil {
			o.Args = list("hi")
		}
		s.act(o)
	}
}
