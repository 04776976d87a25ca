package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// audience is a server with clients in its default namespace.
type audience struct {
	*socketio.Server
	addr    string
	clients []*peer
	sockets []*socketio.Socket
}

// seat starts a server and lets n clients in.
func seat(t testing.TB, o socketio.Options, n int) *audience {
	t.Helper()
	o.AckTimeout = orElse(o.AckTimeout, patience)
	a := &audience{Server: socketio.New(quiet(o))}
	a.addr = start(t, a.Server)
	for range n {
		p, id := join(t, a.addr)
		s, ok := a.Socket(id)
		if !ok {
			t.Fatal("the socket cannot be found")
		}
		a.clients, a.sockets = append(a.clients, p), append(a.sockets, s)
	}
	return a
}

func orElse(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

// verdict is one result of a broadcast, as text: who, and what it said or why it did not.
type verdict struct{ id, what string }

// asking begins a broadcast with acknowledgements and returns its results as they come.
func asking(ctx context.Context, to socketio.Asker, event string, args ...any) <-chan verdict {
	c := make(chan verdict, 1000)
	go func() {
		defer close(c)
		for a, err := range to.AskAll(ctx, event, args...) {
			what := a.Value.String()
			switch {
			case errors.Is(err, context.DeadlineExceeded):
				what = "timeout"
			case err != nil:
				what = err.Error()
			}
			c <- verdict{a.SocketID, what}
		}
	}()
	return c
}

// ends requires that nothing more comes.
func ends(t *testing.T, c <-chan verdict) {
	t.Helper()
	select {
	case r, more := <-c:
		if more {
			t.Errorf("one more result: %v", r)
		}
	case <-time.After(patience):
		t.Error("still waiting")
	}
}

func (a *audience) id(i int) string { return a.sockets[i].ID() }

// Each socket that was asked has exactly one result, as it comes; others' answers, and
// second ones, count for nothing.
func TestAskAllYieldsEachResultAsItComes(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 5)
	for _, s := range a.sockets[:3] {
		_ = s.Join("jury")
	}
	answers := asking(t.Context(), a.To("jury"), "guilty?", []byte("proof"))
	for _, p := range a.clients[:3] {
		p.expect(`451-0["guilty?",{"_placeholder":true,"num":0}]`, "binary:proof") // one id for all
	}
	a.clients[4].send(`430["not asked"]`)
	echoed(t, a, 4)
	a.clients[1].send(`430["no",1]`, `430["yes after all"]`)
	if got := receive(t, answers); got != (verdict{a.id(1), `["no",1]`}) {
		t.Errorf("first: %v", got)
	}
	a.clients[2].send(`461-0[{"_placeholder":true,"num":0}]`)
	a.clients[2].sendBinary('x')
	if got := receive(t, answers); got != (verdict{a.id(2), `[{"_placeholder":true,"num":0}]`}) {
		t.Errorf("second: %v", got)
	}
	a.clients[0].vanish() // no waiting for one that is gone
	if got := receive(t, answers); got != (verdict{a.id(0), socketio.ErrDisconnected.Error()}) {
		t.Errorf("third: %v", got)
	}
	ends(t, answers)
	if n := socketio.PendingSurveys(a.Of("/")); n != 0 || a.Stats().BroadcastAcks != 0 {
		t.Errorf("%d still wait", n)
	}
	// The counter is the namespace's: the next event, to whomever, has the next id.
	next := asking(t.Context(), a.To(a.id(3)), "next")
	a.clients[3].expect(`421["next"]`)
	a.clients[3].send(`430["old"]`, `431[]`)
	if got := receive(t, next); got != (verdict{a.id(3), "[]"}) {
		t.Error(got)
	}
	ends(t, next)
}

// visited waits until every event loop has handed out what was sent so far.
func visited(t *testing.T, a *audience) {
	t.Helper()
	if _, err := a.To("x", "y").Count(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// echoed waits until the server has handled what the client sent so far.
func echoed(t *testing.T, a *audience, i int) {
	t.Helper()
	remove := socketio.OnAck(a.sockets[i], "echo", func(_ ctxt, _ *socketio.Socket, s string) (string, error) { return s, nil })
	defer remove()
	echoes(a.clients[i], 99)
}

func TestEmitWithAckOfABroadcastNamesWhoIsMissing(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 3)
	ctx, cancel := context.WithCancelCause(t.Context())
	type result struct {
		got []socketio.Answer[socketio.Args]
		err error
	}
	done := make(chan result, 1)
	go func() {
		got, err := a.EmitWithAck(ctx, "ready?")
		done <- result{got, err}
	}()
	for _, p := range a.clients {
		p.expect(`420["ready?"]`)
	}
	a.clients[0].send(`430["yes"]`)
	a.sockets[1].Disconnect(false)
	echoed(t, a, 0)
	visited(t, a)
	enough := errors.New("enough")
	cancel(enough)
	r := receive(t, done)
	var missing *socketio.MissingAcksError
	if !errors.As(r.err, &missing) || !errors.Is(r.err, enough) || !errors.Is(r.err, socketio.ErrDisconnected) {
		t.Fatalf("error %v", r.err)
	}
	if len(r.got) != 1 || r.got[0].SocketID != a.id(0) || r.got[0].Value.String() != `["yes"]` {
		t.Errorf("answers %v", r.got)
	}
	var who []string
	for _, m := range missing.Missing {
		who = append(who, m.SocketID)
	}
	slices.Sort(who)
	want := []string{a.id(1), a.id(2)}
	if slices.Sort(want); !slices.Equal(who, want) || !strings.Contains(r.err.Error(), `2 acknowledgements of "ready?" are missing`) {
		t.Errorf("missing %v, %v", who, r.err)
	}
}

func TestAskAllEndsInTime(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{AckTimeout: time.Second / 2}, 2)
	late, expire := context.WithCancelCause(t.Context())
	defer expire(nil)
	for i, ctx := range []context.Context{t.Context(), withDeadline{late}} {
		got := asking(ctx, a.Server, "quick")
		for _, p := range a.clients {
			p.expect(fmt.Sprintf(`42%d["quick"]`, i))
		}
		visited(t, a)
		if i == 1 {
			expire(context.DeadlineExceeded)
		}
		who := []string{}
		for range a.clients {
			v := receive(t, got)
			if who = append(who, v.id); v.what != "timeout" {
				t.Errorf("%d: %v", i, v)
			}
		}
		if !slices.Contains(who, a.id(0)) || !slices.Contains(who, a.id(1)) {
			t.Errorf("%d: %v", i, who)
		}
		ends(t, got)
	}
	past, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.EmitWithAck(past, "never sent"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_ = a.Emit("end")
	for i, p := range a.clients {
		p.expect(`42["end"]`)
		p.send(`430["late"]`, `431["late"]`) // ignored
		echoed(t, a, i)
	}
	if st := a.Stats(); st.BroadcastAcks != 0 || st.Violations != 0 {
		t.Errorf("%+v", st)
	}
}

// withDeadline is a context whose deadline is when the test says so.
type withDeadline struct{ context.Context }

func (withDeadline) Deadline() (time.Time, bool) { return time.Now().Add(time.Hour), true }

func TestAskAllOfNobody(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 1)
	for name, to := range map[string]socketio.Asker{
		"empty room":    a.To("empty"),
		"empty":         a.Of("/empty"),
		"everybody out": a.Except(a.id(0)),
		"not listening": socketio.New(quiet(socketio.Options{})),
	} {
		got := asking(t.Context(), to, "anybody?")
		t.Log(name)
		ends(t, got)
	}
}

func TestAskAllFailsBeforeItSends(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{MaxBroadcastAcks: 1}, 1)
	var reserved *socketio.ReservedEventError
	if _, err := a.EmitWithAck(t.Context(), "disconnect"); !errors.As(err, &reserved) {
		t.Errorf("reserved: %v", err)
	}
	if _, err := a.EmitWithAck(t.Context(), "x", make(chan int)); err == nil {
		t.Error("a channel was encoded")
	}
	first := asking(t.Context(), a.Server, "first")
	a.clients[0].expect(`420["first"]`)
	if _, err := a.EmitWithAck(t.Context(), "second"); !errors.Is(err, socketio.ErrTooManyAcks) {
		t.Errorf("one too many: %v", err)
	}
	if st := a.Stats(); st.BroadcastAcks != 1 || st.AcksRefused != 1 {
		t.Errorf("%+v", st)
	}
	a.clients[0].send(`430[]`)
	receive(t, first)
	ends(t, first)
	third := asking(t.Context(), a.Server, "third")
	a.clients[0].expect(`421["third"]`)
	go func() { _ = a.Shutdown(context.Background()) }()
	if got := receive(t, third); got.what != socketio.ErrDisconnected.Error() {
		t.Errorf("at the end: %v", got)
	}
	ends(t, third)
	if _, err := a.EmitWithAck(t.Context(), "closed"); !errors.Is(err, socketio.ErrServerClosed) {
		t.Errorf("closed: %v", err)
	}
}

// Whoever leaves the loop gives up the rest.
func TestLeavingAskAllFreesIt(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{}, 2)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range a.AskAll(context.Background(), "who is first?") {
			break
		}
	}()
	for i, p := range a.clients {
		p.expect(`420["who is first?"]`)
		if i == 0 {
			p.send(`430[]`)
		}
	}
	receive(t, done)
	a.clients[1].send(`430["second"]`)
	echoed(t, a, 1)
	if a.Stats().BroadcastAcks != 0 {
		t.Error("still waiting")
	}
}

// A slow caller is not to be flooded by large answers.
func TestAnswersThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{MaxAnswerBytes: 1000}, 3)
	pad := strings.Repeat("x", 600)
	var results []error
	next, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for r, err := range a.AskAll(context.Background(), "more") {
			if results = append(results, err); len(results) == 1 {
				if err != nil {
					t.Error(r, err)
				}
				<-next
			}
		}
	}()
	for i, p := range a.clients {
		p.expect(`420["more"]`)
		p.send(`430["` + pad + `"]`)
		echoed(t, a, i)
	}
	close(next)
	receive(t, done)
	refused := 0
	for _, err := range results {
		if errors.Is(err, socketio.ErrAnswersTooLarge) {
			refused++
		} else if err != nil {
			t.Error(err)
		}
	}
	if len(results) != 3 || refused == 0 || refused > 2 || a.Stats().AcksRefused != uint64(refused) {
		t.Errorf("%v", results)
	}
}

// A typed call decodes each answer; one that is no R is that socket's error.
func TestCallAskAll(t *testing.T) {
	t.Parallel()
	const vote socketio.Call[string, int] = "vote"
	a := seat(t, socketio.Options{}, 2)
	type result struct {
		a   socketio.Answer[int]
		err error
	}
	got := make(chan result, 2)
	go func() {
		defer close(got)
		for r, err := range vote.AskAll(context.Background(), a.Of("/"), "who?") {
			got <- result{r, err}
		}
	}()
	for i, answer := range []string{"7", `"seven"`} {
		a.clients[i].expect(`420["vote","who?"]`)
		a.clients[i].send(`430[` + answer + `]`)
		r := receive(t, got)
		var arg *socketio.ArgError
		switch {
		case r.a.SocketID != a.id(i):
			t.Error(r)
		case i == 0 && (r.err != nil || r.a.Value != 7):
			t.Error(r)
		case i == 1 && (!errors.As(r.err, &arg) || arg.Event != "vote"):
			t.Error(r.err)
		}
	}
	if _, more := <-got; more {
		t.Error("a third answer")
	}
}
