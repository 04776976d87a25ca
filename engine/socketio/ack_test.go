package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestAcksFromHandlers(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{
		AckError: func(err error) (any, bool) {
			if strings.HasPrefix(err.Error(), "say") {
				return map[string]string{"error": err.Error()}, true
			}
			return nil, false
		},
		OnError: func(ctxt, *socketio.Socket, error) {},
	}))
	admin := io.Of("/admin")
	for _, r := range []socketio.Registrar{io, admin} {
		socketio.OnAck(r, "double", func(_ ctxt, _ *socketio.Socket, n int) (int, error) { return 2 * n, nil })
		socketio.OnAck(r, "double", func(_ ctxt, _ *socketio.Socket, n int) (int, error) { return -1, nil })
		socketio.OnAck(r, "bytes", func(_ ctxt, _ *socketio.Socket, _ struct{}) ([]byte, error) { return []byte("x"), nil })
		socketio.OnAck(r, "fail", func(_ ctxt, _ *socketio.Socket, s string) (int, error) { return 0, errors.New(s) })
		socketio.On(r, "plain", func(ctxt, *socketio.Socket, struct{}) error { return nil })
	}
	p, _ := join(t, start(t, io))
	p.send("40/admin")
	p.sid("40/admin,")
	p.send(`4212["double",4]`, `42/admin,13["double",5]`) // fact 50
	for range 2 {
		if got := p.read(); got != `4312[8]` && got != `43/admin,13[10]` {
			t.Errorf("got %s", got)
		}
	}
	p.send(`42["double",4]`, `421["plain"]`, `427["bytes"]`) // no id, no ack; On does not acknowledge
	p.expect(`461-7[{"_placeholder":true,"num":0}]`, "binary:x")
	p.send(`428["fail","hush"]`, `429["fail","say so"]`)
	p.expect(`439[{"error":"say so"}]`)
}

func TestEmitWithAck(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{MaxPendingAcks: 2}))
	sockets := make(chan *socketio.Socket, 2)
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return nil })
	addr := start(t, io)
	p, _ := join(t, addr)
	s := receive(t, sockets)
	type result struct {
		args socketio.Args
		err  error
	}
	ask := func(s *socketio.Socket, ctx context.Context, args ...any) <-chan result {
		c := make(chan result, 1)
		go func() {
			a, err := s.EmitWithAck(ctx, "ask", args...)
			c <- result{a, err}
		}()
		return c
	}
	ctx := context.Background()

	// Ids count from 0 for the whole namespace; answers may come in any order.
	one := ask(s, ctx, 1)
	p.expect(`420["ask",1]`)
	q, _ := join(t, addr)
	s2 := receive(t, sockets)
	two := ask(s2, ctx)
	q.expect(`421["ask"]`)
	p.send(`431["not yours"]`, `430["a",7]`, `430["again"]`)
	got := receive(t, one)
	var text string
	var n int
	if err := got.args.Decode(&text, &n); got.err != nil || err != nil || text != "a" || n != 7 {
		t.Errorf("answer %q %d, %v", text, n, got.err)
	}

	// A binary answer.
	q.send(`461-1[{"_placeholder":true,"num":0}]`)
	q.sendBinary(9)
	got = receive(t, two)
	var b []byte
	if err := got.args.Decode(&b); err != nil || string(b) != "\x09" {
		t.Errorf("answer %v, %v", b, err)
	}

	// The end of ctx, and a late answer.
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if _, err := s.EmitWithAck(short, "ask"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
	p.expect(`422["ask"]`)
	p.send(`432[]`)
	if n := socketio.PendingAcks(s); n != 0 {
		t.Errorf("%d pending", n)
	}

	// The bound.
	three, four := ask(s, ctx), ask(s, s.Context())
	p.read()
	p.read()
	if _, err := s.EmitWithAck(ctx, "ask"); !errors.Is(err, socketio.ErrTooManyAcks) {
		t.Errorf("err = %v", err)
	}

	// The end of the socket, by whichever way it is noticed.
	_ = p.conn.Close()
	for _, c := range []<-chan result{three, four} {
		if r := receive(t, c); !errors.Is(r.err, socketio.ErrDisconnected) {
			t.Errorf("err = %v", r.err)
		}
	}
	if _, err := s.EmitWithAck(ctx, "ask"); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("err = %v", err)
	}
	if n := socketio.PendingAcks(s); n != 0 {
		t.Errorf("%d pending", n)
	}
}

func TestEmitErrors(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{MaxAttachments: 1}))
	sockets := make(chan *socketio.Socket, 1)
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return nil })
	p, _ := join(t, start(t, io))
	s := receive(t, sockets)
	emitters := map[string]socketio.Emitter{
		"server": io, "namespace": io.Of("/"), "socket": s, "operator": io.To("x"), "volatile": s.Volatile().Compress(false),
	}
	for name, e := range emitters {
		for _, event := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
			var reserved *socketio.ReservedEventError
			err := e.Emit(event)
			if !errors.As(err, &reserved) || err.Error() != fmt.Sprintf("socketio: %q is a reserved event name", event) {
				t.Errorf("%s: Emit(%s) = %v", name, event, err)
			}
		}
		if err := e.Emit("x", func() {}); err == nil {
			t.Errorf("%s: a function was emitted", name)
		}
		if err := e.Emit("x", []byte{1}, []byte{2}); !errors.Is(err, socketio.ErrTooManyAttachments) {
			t.Errorf("%s: Emit of too many attachments = %v", name, err)
		}
	}
	if err := io.To("nobody").Emit("x"); err != nil {
		t.Errorf("empty room: %v", err)
	}
	s.Disconnect(false)
	p.expect("41")
	if err := s.Emit("x"); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("Emit after the end = %v", err)
	}
	_ = p.conn.Close()
	if err := io.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := io.Emit("x"); !errors.Is(err, socketio.ErrServerClosed) {
		t.Errorf("Emit after Shutdown = %v", err)
	}
}

// Silent clients give the workers back.
func TestAcksAreNotAwaitedForEver(t *testing.T) {
	t.Parallel()
	errs := make(chan error, 9)
	io := socketio.New(quiet(socketio.Options{
		Workers: 2, AckTimeout: 10 * time.Millisecond,
		OnError: func(_ ctxt, _ *socketio.Socket, err error) { errs <- err },
	}))
	ask := socketio.Call[int, int]("ask")
	io.OnConnect(func(ctx ctxt, s *socketio.Socket) error {
		_, err := ask.Ask(ctx, s, 1)
		return err
	})
	got := make(chan bool, 1)
	io.Of("/other").OnConnect(func(ctxt, *socketio.Socket) error { got <- true; return nil })
	addr := start(t, io)
	for range 4 {
		join(t, addr)
	}
	p := dial(t, addr)
	p.send("40/other")
	receive(t, got)
	err := receive(t, errs)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.HasSuffix(err.Error(), `"ask": operation has timed out`) {
		t.Errorf("err = %v", err)
	}
}

func TestADeadlineGoesBeforeAckTimeout(t *testing.T) {
	t.Parallel()
	for _, timeout := range []time.Duration{time.Nanosecond, -1, 0} {
		io := socketio.New(quiet(socketio.Options{AckTimeout: timeout}))
		sockets := make(chan *socketio.Socket, 1)
		io.OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return nil })
		p, _ := join(t, start(t, io))
		s := receive(t, sockets)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		if timeout < 0 {
			ctx = context.Background() // for ever
		}
		answer := make(chan error, 1)
		go func() {
			_, err := s.EmitWithAck(ctx, "ask")
			answer <- err
		}()
		p.expect(`420["ask"]`)
		p.send(`430[]`)
		if err := receive(t, answer); err != nil {
			t.Errorf("AckTimeout %v: %v", timeout, err)
		}
		cancel()
	}
}

// What was sent is not kept for as long as its acknowledgement takes.
func TestPendingAcksAreSmall(t *testing.T) { // not in parallel: it weighs the heap
	io := socketio.New(quiet(socketio.Options{}))
	sockets := make(chan *socketio.Socket, 1)
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error { sockets <- s; return nil })
	p, _ := join(t, start(t, io))
	s := receive(t, sockets)
	const pending, size = 200, 50_000
	text := strings.Repeat("x", size)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var all sync.WaitGroup
	before := heap()
	for range pending {
		all.Go(func() { _, _ = s.EmitWithAck(ctx, "q", text) })
		p.read()
	}
	if grown := int(heap()) - int(before); grown > pending*size/5 {
		t.Errorf("%d bytes for each pending acknowledgement", grown/pending)
	}
	cancel()
	all.Wait()
}
