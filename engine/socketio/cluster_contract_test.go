package socketio_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// bus connects the servers of one process, as a broker does those of many: what the
// Adapter contract gives, and nothing else, goes from one to the other, as bytes.
type bus struct {
	mu      sync.Mutex
	members map[string][]*busAdapter // by namespace
}

func newBus() *bus { return &bus{members: make(map[string][]*busAdapter)} }

// adapter makes the adapters of one server.
func (b *bus) adapter(server string) func(*socketio.MemoryAdapter) socketio.Adapter {
	return func(local *socketio.MemoryAdapter) socketio.Adapter {
		a := &busAdapter{MemoryAdapter: local, bus: b, server: server}
		b.mu.Lock()
		defer b.mu.Unlock()
		n := local.Namespace().Name()
		b.members[n] = append(b.members[n], a)
		return a
	}
}

type busAdapter struct {
	*socketio.MemoryAdapter
	bus    *bus
	server string
	deaf   bool // does not answer others; guarded by bus.mu
}

// others returns the adapters of the other servers, those that do not answer counted.
func (a *busAdapter) others() (others []*busAdapter, deaf int) {
	a.bus.mu.Lock()
	defer a.bus.mu.Unlock()
	for _, o := range a.bus.members[a.Namespace().Name()] {
		switch {
		case o == a:
		case o.deaf:
			deaf++
		default:
			others = append(others, o)
		}
	}
	return others, deaf
}

func (a *busAdapter) Broadcast(p *socketio.Broadcast) error {
	err := a.MemoryAdapter.Broadcast(p)
	if others, _ := a.others(); !p.Flags.Local {
		for _, o := range others {
			err = errors.Join(err, o.MemoryAdapter.Broadcast(p))
		}
	}
	return err
}

// union is the sink of several servers.
type union struct {
	socketio.AckSink
	mu      sync.Mutex
	sockets int
	left    int // servers that have not settled
}

func (u *union) Settled(sockets int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sockets += sockets
	if u.left--; u.left == 0 {
		u.AckSink.Settled(u.sockets)
	}
}

// abroad is the sink at another server: what comes travels as bytes.
type abroad struct {
	*union
	home *busAdapter
}

func (s abroad) Answer(a socketio.AckAnswer) {
	args, err := s.home.ParseArgs([]byte(a.Args.String()), a.Args.Attachments())
	if err != nil {
		a.Err = err
	}
	a.Args = args
	s.union.Answer(a)
}

func (a *busAdapter) BroadcastWithAck(p *socketio.Broadcast, sink socketio.AckSink) (func(error), error) {
	others, deaf := a.others()
	if p.Flags.Local {
		others, deaf = nil, 0
	}
	u := &union{AckSink: sink, left: 1 + len(others) + deaf}
	var stops []func(error)
	stop := func(reason error) {
		for _, s := range stops {
			s(reason)
		}
		for range deaf {
			sink.Answer(socketio.AckAnswer{Err: reason})
		}
	}
	own, err := a.MemoryAdapter.BroadcastWithAck(p, u)
	if err != nil {
		return nil, err
	}
	stops = append(stops, own)
	for _, o := range others {
		far, err := o.MemoryAdapter.BroadcastWithAck(p, abroad{u, a})
		if err != nil {
			stop(err)
			return nil, err
		}
		stops = append(stops, far)
	}
	return stop, nil
}

// incomplete waits for those that do not answer.
func incomplete(ctx context.Context, deaf int) error {
	if deaf == 0 {
		return nil
	}
	<-ctx.Done()
	return context.Cause(ctx)
}

func (a *busAdapter) FetchSockets(ctx context.Context, sel *socketio.Selection) ([]*socketio.RemoteSocket, error) {
	all, err := a.MemoryAdapter.FetchSockets(ctx, sel)
	if sel.Local {
		return all, err
	}
	others, deaf := a.others()
	for _, o := range others {
		theirs, e := o.MemoryAdapter.FetchSockets(ctx, sel)
		err = errors.Join(err, e)
		for _, r := range theirs {
			b, e1 := json.Marshal(r.State())
			var s socketio.SocketState
			e2 := json.Unmarshal(b, &s)
			err = errors.Join(err, e1, e2)
			all = append(all, socketio.NewRemoteSocket(a.Namespace(), s))
		}
	}
	return all, errors.Join(err, incomplete(ctx, deaf))
}

func (a *busAdapter) CountSockets(ctx context.Context, sel *socketio.Selection) (int, error) {
	sum, err := a.MemoryAdapter.CountSockets(ctx, sel)
	if sel.Local {
		return sum, err
	}
	others, deaf := a.others()
	for _, o := range others {
		n, e := o.MemoryAdapter.CountSockets(ctx, sel)
		sum, err = sum+n, errors.Join(err, e)
	}
	return sum, errors.Join(err, incomplete(ctx, deaf))
}

func (a *busAdapter) RoomSizes(ctx context.Context, local bool) (map[string]int, error) {
	sizes, err := a.MemoryAdapter.RoomSizes(ctx, local)
	if local {
		return sizes, err
	}
	others, deaf := a.others()
	for _, o := range others {
		theirs, e := o.MemoryAdapter.RoomSizes(ctx, true)
		err = errors.Join(err, e)
		for r, n := range theirs {
			sizes[r] += n
		}
	}
	return sizes, errors.Join(err, incomplete(ctx, deaf))
}

// everywhere does something on this server and, unless it is local, on the others.
func (a *busAdapter) everywhere(local bool, do func(*socketio.MemoryAdapter) error) error {
	err := do(a.MemoryAdapter)
	if others, _ := a.others(); !local {
		for _, o := range others {
			err = errors.Join(err, do(o.MemoryAdapter))
		}
	}
	return err
}

func (a *busAdapter) AddSockets(sel *socketio.Selection, rooms []string) error {
	return a.everywhere(sel.Local, func(m *socketio.MemoryAdapter) error { return m.AddSockets(sel, rooms) })
}

func (a *busAdapter) DelSockets(sel *socketio.Selection, rooms []string) error {
	return a.everywhere(sel.Local, func(m *socketio.MemoryAdapter) error { return m.DelSockets(sel, rooms) })
}

func (a *busAdapter) DisconnectSockets(sel *socketio.Selection, hangUp bool) error {
	return a.everywhere(sel.Local, func(m *socketio.MemoryAdapter) error { return m.DisconnectSockets(sel, hangUp) })
}

func (a *busAdapter) ServerSideEmit(e *socketio.ServerSideEvent) (err error) {
	others, _ := a.others()
	for _, o := range others {
		err = errors.Join(err, o.ServerSideEvent(&socketio.ServerSideEvent{Array: bytes.Clone(e.Array), Attachments: e.Attachments}, nil))
	}
	return err
}

func (a *busAdapter) ServerSideEmitWithAck(ctx context.Context, e *socketio.ServerSideEvent) (answers []socketio.ServerSideAnswer, err error) {
	others, deaf := a.others()
	type reply struct {
		server string
		args   socketio.Args
		err    error
	}
	replies := make(chan reply, len(others))
	for _, o := range others {
		err := o.ServerSideEvent(e, func(args socketio.Args, err error) { replies <- reply{o.server, args, err} })
		if err != nil {
			return nil, err
		}
	}
	for range others {
		select {
		case r := <-replies:
			if r.err != nil {
				err = errors.Join(err, r.err)
			} else {
				answers = append(answers, socketio.ServerSideAnswer{Server: r.server, Args: r.args})
			}
		case <-ctx.Done():
			return answers, context.Cause(ctx)
		}
	}
	return answers, errors.Join(err, incomplete(ctx, deaf))
}

func (a *busAdapter) ServerCount(context.Context) (int, error) {
	others, deaf := a.others()
	return 1 + len(others) + deaf, nil
}

var _ socketio.Adapter = (*busAdapter)(nil)

// cluster is two servers on a bus.
type cluster struct {
	*bus
	a, b *audience
}

var busTag = socketio.NewSharedKey[map[string]int]("tag")

// newCluster starts two servers with n clients each.
func newCluster(t *testing.T, n int) *cluster {
	t.Helper()
	c := &cluster{bus: newBus()}
	c.a = seat(t, socketio.Options{Adapter: c.adapter("a"), KeepHandshake: true}, n)
	c.b = seat(t, socketio.Options{Adapter: c.adapter("b"), KeepHandshake: true}, n)
	return c
}

// makeDeaf has the second server answer no more.
func (c *cluster) makeDeaf() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members["/"][1].deaf = true
}

func TestBroadcastAcksComeFromOtherServers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	_ = c.a.SocketsJoin("all") // on both
	got := asking(t.Context(), c.a.To("all").Except(c.a.id(1)), "ask", []byte("x"))
	for _, p := range []*peer{c.a.clients[0], c.b.clients[0], c.b.clients[1]} {
		p.expect(`451-0["ask",{"_placeholder":true,"num":0}]`, "binary:x")
	}
	c.b.clients[0].send(`461-0[{"_placeholder":true,"num":0}]`)
	c.b.clients[0].sendBinary('y')
	if v := receive(t, got); v != (verdict{c.b.id(0), `[{"_placeholder":true,"num":0}]`}) {
		t.Error(v)
	}
	c.b.sockets[1].Disconnect(false)
	if v := receive(t, got); v != (verdict{c.b.id(1), socketio.ErrDisconnected.Error()}) {
		t.Error(v)
	}
	c.a.clients[0].send(`430[1]`)
	if v := receive(t, got); v != (verdict{c.a.id(0), `[1]`}) {
		t.Error(v)
	}
	ends(t, got)

	// Who has not answered is known by id, wherever it is.
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	got = asking(ctx, c.a.To("all").Except(c.a.id(1)), "again")
	c.a.clients[0].expect(`421["again"]`)
	c.b.clients[0].expect(`421["again"]`)
	visited(t, c.a)
	cancel(context.DeadlineExceeded)
	missing := map[string]string{}
	for v := range got {
		missing[v.id] = v.what
	}
	if !maps.Equal(missing, map[string]string{c.a.id(0): "timeout", c.b.id(0): "timeout"}) {
		t.Errorf("missing: %v", missing)
	}

	// Local stays here.
	got = asking(t.Context(), c.b.Local().To("all"), "here")
	c.b.clients[0].expect(`422["here"]`)
	c.b.clients[0].send(`432[]`)
	receive(t, got)
	ends(t, got)
	if n := c.a.Stats().BroadcastAcks + c.b.Stats().BroadcastAcks; n != 0 {
		t.Errorf("%d are still waited for", n)
	}
}

func TestFetchSocketsAcrossServers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	if all, err := c.a.Local().FetchSockets(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("local: %v, %v", all, err)
	}
	far := c.b.sockets[0]
	_ = far.Join("room")
	busTag.Set(far, map[string]int{"n": 7})
	all, err := c.a.To("room").FetchSockets(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	r := all[0]
	tag, tagged := busTag.Of(r)
	if _, local := r.Local(); local || r.ID() != far.ID() || !slices.Equal(r.Rooms(), []string{far.ID(), "room"}) || !tagged || tag["n"] != 7 {
		t.Errorf("%v in %v, %v", r.ID(), r.Rooms(), tag)
	}
	if h := r.Handshake(); h.Query.Get("EIO") != "4" || h.Address != "127.0.0.1" {
		t.Errorf("handshake %+v", h)
	}
	if _, ok := socketio.NewSharedKey[int]("tag").Of(r); ok {
		t.Error("a map is no int")
	}
	if _, ok := socketio.NewKey[map[string]int]().Of(r); ok {
		t.Error("a key without a name found something")
	}

	// What the fetched socket is told goes where it is.
	client := c.b.clients[0]
	_ = r.Emit("hello", 1)
	client.expect(`42["hello",1]`)
	answer := make(chan string, 1)
	go func() {
		args, err := r.EmitWithAck(context.Background(), "ask")
		if err != nil {
			t.Error(err)
		}
		answer <- args.String()
	}()
	client.expect(`420["ask"]`)
	client.send(`430["yes"]`)
	if got := receive(t, answer); got != `["yes"]` {
		t.Error(got)
	}
	_ = r.Join("new")
	_ = c.a.To("new").Emit("x")
	client.expect(`42["x"]`)
	_ = r.Leave("new", "room")
	_ = c.a.To("new", "room").Emit("lost")
	_ = r.Disconnect(false)
	client.expect("41")
	if _, err := r.EmitWithAck(t.Context(), "ask"); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("asking one that is gone: %v", err)
	}
}

func TestSocketsAreMovedAcrossServers(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 2)
	ctx := t.Context()
	_ = c.a.To(c.b.id(0), c.a.id(0)).SocketsJoin("first")
	_ = c.a.To("first").Emit("one")
	c.a.clients[0].expect(`42["one"]`)
	c.b.clients[0].expect(`42["one"]`)
	_ = c.a.Of("/").SocketsJoin("all")
	_ = c.a.Local().SocketsLeave("all")
	for room, want := range map[string]int{"first": 2, "all": 2, c.b.id(1): 1, "none": 0} {
		if n, err := c.a.RoomSize(ctx, room); n != want || err != nil {
			t.Errorf("%q has %d, %v; want %d", room, n, err, want)
		}
	}
	if n, err := c.a.To("first", "all").Except(c.b.id(1)).Count(ctx); n != 2 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
	if rooms, err := c.a.Rooms(ctx); err != nil || !maps.Equal(rooms, map[string]int{"first": 2, "all": 2}) {
		t.Errorf("rooms %v, %v", rooms, err)
	}
	if rooms, err := c.a.Of("/").LocalRooms(ctx); err != nil || !maps.Equal(rooms, map[string]int{"first": 1}) {
		t.Errorf("local rooms %v, %v", rooms, err)
	}
	_ = c.a.Emit("bye")
	_ = c.a.Except("first").DisconnectSockets(false)
	c.a.clients[1].expect(`42["bye"]`, "41")
	c.b.clients[1].expect(`42["bye"]`, "41")
	_ = c.b.To("first").DisconnectSockets(true)
	for _, p := range []*peer{c.a.clients[0], c.b.clients[0]} {
		p.expect(`42["bye"]`, "41")
		closesSilently(p)
	}
}

func TestServersTalkToEachOther(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 0)
	const greet socketio.Event[string] = "greet"
	const load socketio.Call[string, int] = "load"
	heard := make(chan string, 10)
	for name, v := range map[string]*audience{"a": c.a, "b": c.b} {
		socketio.OnServerSide(v, greet, func(_ ctxt, s string) error { heard <- name + " " + s; return nil })
		socketio.OnServerSideAck(v, load, func(_ ctxt, s string) (int, error) { return len(name + s), nil })
	}
	if err := c.a.ServerSideEmit("greet", "hello"); err != nil {
		t.Error(err)
	}
	if got := receive(t, heard); got != "b hello" {
		t.Error(got)
	}
	answers, err := c.a.ServerSideEmitWithAck(t.Context(), "load", "xyz")
	if err != nil || len(answers) != 1 || answers[0].Server != "b" || answers[0].Args.String() != "[4]" {
		t.Errorf("%v, %v", answers, err)
	}
	if n, err := c.a.Of("/").ServerCount(t.Context()); n != 2 || err != nil {
		t.Errorf("%d servers, %v", n, err)
	}
	if _, err := c.a.ServerSideEmitWithAck(t.Context(), "greet", "nobody acknowledges"); !errors.Is(err, socketio.ErrNoServerSideHandler) {
		t.Error(err)
	}
	if got := receive(t, heard); got != "b nobody acknowledges" {
		t.Error(got)
	}
	var reserved *socketio.ReservedEventError
	if err := c.a.ServerSideEmit("new_namespace"); !errors.As(err, &reserved) {
		t.Error(err)
	}
	if len(heard) > 0 {
		t.Error("more was heard")
	}
}

// What comes from elsewhere is looked at before it is believed.
func TestServerSideEventsThatAreNone(t *testing.T) {
	t.Parallel()
	var local *socketio.MemoryAdapter
	io := socketio.New(quiet(socketio.Options{MaxNotices: 1, Adapter: func(m *socketio.MemoryAdapter) socketio.Adapter { local = m; return m }}))
	for _, array := range []string{"", "{}", "[", `["a"`, `["a",]`, "[1e]", "[7]", "[]x", "[\"\xff\"]"} {
		if err := local.ServerSideEvent(&socketio.ServerSideEvent{Array: []byte(array)}, nil); err == nil {
			t.Errorf("%q was believed", array)
		}
	}
	two := `["a",{"_placeholder":true,"num":1}]`
	if err := local.ServerSideEvent(&socketio.ServerSideEvent{Array: []byte(two), Attachments: [][]byte{{1}}}, nil); err == nil {
		t.Error("a placeholder of nothing was believed")
	}
	// Too many at once are refused and counted.
	began, wait := make(chan struct{}), make(chan struct{})
	socketio.OnServerSide(io, "slow", func(ctxt, struct{}) error { began <- struct{}{}; <-wait; return nil })
	slow := &socketio.ServerSideEvent{Array: []byte(`["slow"]`)}
	if err := local.ServerSideEvent(slow, nil); err != nil {
		t.Fatal(err)
	}
	receive(t, began)
	if err := local.ServerSideEvent(slow, nil); err != nil {
		t.Error(err)
	}
	if err := local.ServerSideEvent(slow, nil); err == nil || io.Stats().NoticesLost != 1 {
		t.Errorf("a third: %v", err)
	}
	close(wait)
	receive(t, began)
}

// A server that does not answer costs its part of the result.
func TestPartialResults(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	c.makeDeaf()
	ctx := func() context.Context {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(context.DeadlineExceeded)
		return ctx
	}
	past := ctx()
	ask, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	got := asking(ask, c.a, "ask")
	c.a.clients[0].expect(`420["ask"]`)
	c.a.clients[0].send(`430[]`)
	if v := receive(t, got); v.id != c.a.id(0) || v.what != "[]" {
		t.Error(v)
	}
	cancel(context.DeadlineExceeded)
	if v := receive(t, got); v != (verdict{"", "timeout"}) {
		t.Errorf("the server that does not answer: %v", v)
	}
	if answers, err := c.a.ServerSideEmitWithAck(past, "x"); len(answers) != 0 || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", answers, err)
	}
	fetch, done := context.WithCancel(t.Context())
	result := make(chan int, 1)
	go func() {
		all, err := c.a.FetchSockets(fetch)
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		result <- len(all)
	}()
	if n, err := c.a.Local().Count(t.Context()); n != 1 || err != nil {
		t.Error(n, err)
	}
	done()
	if n := receive(t, result); n > 1 {
		t.Errorf("%d found", n)
	}
}
