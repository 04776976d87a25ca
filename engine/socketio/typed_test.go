package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// handled registers a handler for T and returns what it is given for the arguments.
func handled[T any](list string, attachments ...[]byte) (got T, err error) {
	var desk socketio.Desk
	socketio.On(&desk, "event", func(_ context.Context, _ *socketio.Socket, v T) error {
		got = v
		return nil
	})
	_, err = desk.Run("event", args(list, attachments...))
	return got, err
}

func wantHandled[T any](t *testing.T, list string, want T, attachments ...[]byte) {
	t.Helper()
	if got, err := handled[T](list, attachments...); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s as %T: %+v, %v; want %+v", list, got, got, err, want)
	}
}

func TestHandlersGetTheirType(t *testing.T) {
	type line struct{ Text string }
	A := []byte("A")
	wantHandled(t, `"hi"`, "hi")
	wantHandled(t, `"tab\t"`, "tab\t")
	wantHandled(t, `5`, 5)
	wantHandled(t, `{"Text":"x"}`, line{"x"})
	wantHandled(t, `{"Text":"x"}`, &line{"x"})
	wantHandled(t, `[1,"a"]`, any([]any{1.0, "a"}))
	wantHandled(t, placeholder(0), A, A)
	wantHandled(t, placeholder(0), socketio.Binary(A), A)
	wantHandled(t, `"QQ=="`, A)
	wantHandled(t, ` {"a": 1} `, socketio.Raw(`{"a": 1}`))
	wantHandled(t, `"rook",1,8`, moved{Piece: "rook", From: 1, To: 8})
	wantHandled(t, `1,2,3`, struct{}{})
	if a, err := handled[socketio.Args](`1,"x"`); err != nil || a.String() != `[1,"x"]` {
		t.Errorf("got %v, %v", a, err)
	}
}

func TestMissingArgumentsAreZeroAndMoreAreIgnored(t *testing.T) {
	wantHandled(t, ``, "")
	wantHandled(t, ``, 0)
	wantHandled(t, ``, []byte(nil))
	wantHandled(t, ``, socketio.Raw(nil))
	wantHandled(t, ``, struct{}{})
	wantHandled(t, ``, moved{})
	wantHandled[any](t, ``, nil)
	wantHandled(t, `null`, "")
	wantHandled(t, `"first","second"`, "first")
	wantHandled(t, `[1],{}`, []int{1})
}

func TestArgumentsOfTheWrongTypeDoNotReachTheHandler(t *testing.T) {
	var desk socketio.Desk
	ran := false
	socketio.On(&desk, "on", func(context.Context, *socketio.Socket, int) error { ran = true; return nil })
	socketio.OnAck(&desk, "call", func(context.Context, *socketio.Socket, string) (int, error) { ran = true; return 1, nil })
	for event, list := range map[string]string{"on": `"x"`, "call": `{}`} {
		reply, err := desk.Run(event, args(list))
		wrong, ok := errors.AsType[*socketio.ArgError](err)
		typed, isType := errors.AsType[*json.UnmarshalTypeError](err)
		if !ok || !isType || wrong.Event != event || typed == nil || reply != nil || ran {
			t.Errorf("%s: %v, %v, ran %t", event, reply, err, ran)
		}
	}
}

func TestUntypedAndTypedNamesRegister(t *testing.T) {
	const chat socketio.Event[string] = "chat"
	const sum socketio.Call[[]int, int] = "sum"
	var desk socketio.Desk
	failure := errors.New("failure")
	remove := socketio.On(&desk, chat, func(context.Context, *socketio.Socket, string) error { return failure }, socketio.Inline)
	socketio.Once(&desk, "once", func(_ context.Context, _ *socketio.Socket, msg string) error { return nil })
	socketio.OnAck(&desk, sum, func(_ context.Context, _ *socketio.Socket, all []int) (total int, err error) {
		for _, n := range all {
			total += n
		}
		return total, nil
	})
	socketio.OnAck(&desk, "bad", func(context.Context, *socketio.Socket, struct{}) (struct{}, error) {
		return struct{}{}, failure
	}, socketio.Inline)

	for event, want := range map[string][3]bool{"chat": {false, false, true}, "once": {false, true, false}, "sum": {true, false, false}, "bad": {true, false, true}} {
		if ack, once, inline := desk.Flags(event); [3]bool{ack, once, inline} != want {
			t.Errorf("%s: ack %t once %t inline %t", event, ack, once, inline)
		}
	}
	if reply, err := desk.Run("sum", args(`[1,2,3]`)); err != nil || reply != 6 {
		t.Errorf("sum: %v, %v", reply, err)
	}
	for _, event := range []string{"chat", "bad"} {
		if _, err := desk.Run(event, args(`"x"`)); !errors.Is(err, failure) {
			t.Errorf("%s: %v", event, err)
		}
	}
	remove()
	if desk.Has("chat") {
		t.Error("still there")
	}
}

// sent is an Emitter that keeps what is emitted, encoded.
type sent struct{ packet string }

func (s *sent) Emit(event string, list ...any) error {
	out, _, err := socketio.AppendArgs(nil, nil, list)
	s.packet = event + string(out)
	return err
}

func TestEventsEmitTheirType(t *testing.T) {
	var s sent
	for _, tt := range []struct {
		emit func() error
		want string
	}{
		{func() error { return socketio.Event[string]("a").Emit(&s, "x") }, `a,"x"`},
		{func() error { return socketio.Event[struct{}]("b").Emit(&s, struct{}{}) }, `b`},
		{func() error { return socketio.Event[moved]("c").Emit(&s, moved{Piece: "king"}) }, `c,"king",0,0`},
		{func() error { return socketio.Event[[]byte]("d").Emit(&s, []byte("A")) }, `d,` + placeholder(0)},
		{func() error { return socketio.Event[socketio.Args]("e").Emit(&s, args(`1,2`)) }, `e,1,2`},
		{func() error { return socketio.Event[any]("f").Emit(&s, nil) }, `f,null`},
		{func() error { return socketio.Event[map[string]int]("g").Emit(&s, nil) }, `g,null`},
	} {
		if err := tt.emit(); err != nil || s.packet != tt.want {
			t.Errorf("got %s, %v; want %s", s.packet, err, tt.want)
		}
	}
}

func TestTypedEventsOverTheWire(t *testing.T) {
	const point socketio.Call[moved, inner] = "point"
	io := socketio.New(quiet(socketio.Options{}))
	sockets := make(chan *socketio.Socket, 1)
	io.OnConnect(func(_ context.Context, s *socketio.Socket) error { sockets <- s; return nil })
	socketio.On(io, "picture", func(_ context.Context, s *socketio.Socket, v inner) error {
		return socketio.Event[inner]("seen").Emit(s, v)
	})
	socketio.On(io, "relay", func(_ context.Context, s *socketio.Socket, a socketio.Args) error {
		return s.Emit("relayed", "first", a)
	})
	socketio.OnAck(io, "echo", func(_ context.Context, _ *socketio.Socket, a socketio.Args) (socketio.Args, error) {
		return a, nil
	})
	p, _ := join(t, start(t, io))

	p.send(`451-["picture",{"data":` + placeholder(0) + `}]`)
	p.sendBinary('A')
	p.expect(`451-["seen",{"data":`+placeholder(0)+`}]`, "binary:A")
	p.send(`452-["relay",` + placeholder(1) + `,{"x":` + placeholder(0) + `}]`)
	p.sendBinary('A')
	p.sendBinary('B')
	p.expect(`452-["relayed","first",`+placeholder(0)+`,{"x":`+placeholder(1)+`}]`, "binary:B", "binary:A")
	p.send(`427["echo",1,"two"]`)
	p.expect(`437[1,"two"]`)

	type answer struct {
		v   inner
		err error
	}
	answers := make(chan answer, 1)
	s := receive(t, sockets)
	ask := func(ctx context.Context) {
		go func() {
			v, err := point.Ask(ctx, s, moved{Piece: "rook", To: 8})
			answers <- answer{v, err}
		}()
	}
	ask(context.Background())
	p.expect(`420["point","rook",0,8]`)
	p.send(`461-0[{"data":` + placeholder(0) + `},"more"]`)
	p.sendBinary('C')
	if got := receive(t, answers); got.err != nil || string(got.v.Data) != "C" {
		t.Errorf("answer %+v", got)
	}
	ask(context.Background())
	p.expect(`421["point","rook",0,8]`)
	p.send(`431["no inner"]`)
	if wrong, ok := errors.AsType[*socketio.ArgError](receive(t, answers).err); !ok || wrong.Event != "point" {
		t.Errorf("wrong answer: %v", wrong)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	ask(ctx)
	if got := receive(t, answers); !errors.Is(got.err, context.Canceled) {
		t.Errorf("cancelled: %+v", got)
	}
}

// chatEvent is the arguments of a chat event: one object, such that the whole packet has 206 bytes.
func chatEvent() string {
	head, tail := `{"room":"lobby","user":"ada","seq":7,"tags":["a","b"],"at":"2026-01-02T03:04:05Z","text":"`, `"}`
	const packet = len(`42["chatMessage",]`)
	return head + strings.Repeat("m", 206-packet-len(head)-len(tail)) + tail
}

// BenchmarkTypedCall is decoding and calling a handler, beside encoding/json alone on the same text.
func BenchmarkTypedCall(b *testing.B) {
	object := chatEvent()
	text := `"` + strings.Repeat("m", 206-len(`42["chatMessage",""]`)) + `"`
	b.Run("struct206", func(b *testing.B) { benchmarkCall[chatLine](b, object) })
	b.Run("struct206/json", func(b *testing.B) { benchmarkJSON[chatLine](b, object) })
	b.Run("string206", func(b *testing.B) { benchmarkCall[string](b, text) })
	b.Run("string206/json", func(b *testing.B) { benchmarkJSON[string](b, text) })
	b.Run("Raw206", func(b *testing.B) { benchmarkCall[socketio.Raw](b, object) })
	b.Run("any206", func(b *testing.B) { benchmarkCall[any](b, object) })
	b.Run("any206/json", func(b *testing.B) { benchmarkJSON[any](b, object) })
	b.Run("binary", func(b *testing.B) { benchmarkCall[[]byte](b, placeholder(0), make([]byte, 1024)) })
	b.Run("binaryInStruct", func(b *testing.B) {
		benchmarkCall[inner](b, `{"data":`+placeholder(0)+`}`, make([]byte, 1024))
	})
}

func benchmarkCall[T any](b *testing.B, list string, attachments ...[]byte) {
	var desk socketio.Desk
	socketio.On(&desk, "event", func(context.Context, *socketio.Socket, T) error { return nil })
	a := args(list, attachments...)
	b.ReportAllocs()
	b.SetBytes(int64(len(list)))
	for b.Loop() {
		if _, err := desk.Run("event", a); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkJSON[T any](b *testing.B, text string) {
	raw := []byte(text)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTypedCallRatio times a typed call and encoding/json alone in turns, so that a busy machine slows both, and
// reports the quotient of the medians.
func BenchmarkTypedCallRatio(b *testing.B) {
	var desk socketio.Desk
	socketio.On(&desk, "event", func(context.Context, *socketio.Socket, chatLine) error { return nil })
	text := []byte(chatEvent())
	a := socketio.ArgsOf(text, nil, nil)
	var calls, alone []time.Duration
	for b.Loop() {
		calls = append(calls, timed(func() { _, _ = desk.Run("event", a) }))
		alone = append(alone, timed(func() {
			v := new(chatLine)
			_ = json.Unmarshal(text, v)
		}))
	}
	slices.Sort(calls)
	slices.Sort(alone)
	b.ReportMetric(float64(calls[len(calls)/2])/float64(alone[len(alone)/2]), "x/json")
}

// BenchmarkTypedDispatchRatio is the same for the whole way of an event with an
// acknowledgement: its 206 bytes are parsed, decoded and handled, and a number is
// acknowledged; encoding/json alone decodes the argument only.
func BenchmarkTypedDispatchRatio(b *testing.B) {
	io := socketio.New(socketio.Options{})
	socketio.OnAck(io, "chatMessage", func(_ context.Context, _ *socketio.Socket, l chatLine) (int, error) { return l.Seq, nil })
	text := []byte(chatEvent())
	packet := []byte(`27["chatMessage",` + string(text) + `]`)
	var calls, alone []time.Duration
	for b.Loop() {
		calls = append(calls, timed(func() {
			if err := socketio.CallAndAck(io, packet); err != nil {
				b.Fatal(err)
			}
		}))
		alone = append(alone, timed(func() {
			v := new(chatLine)
			_ = json.Unmarshal(text, v)
		}))
	}
	slices.Sort(calls)
	slices.Sort(alone)
	b.ReportMetric(float64(calls[len(calls)/2])/float64(alone[len(alone)/2]), "x/json")
}

// timed returns how long 20 calls of f take.
func timed(f func()) time.Duration {
	start := time.Now()
	for range 20 {
		f()
	}
	return time.Since(start)
}
