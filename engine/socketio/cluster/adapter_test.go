package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// What is said to others is what Node's servers say.
func TestWhatOthersAreTold(t *testing.T) {
	v, l := alone(t, cluster.Options{})
	id := v.client.ID()
	said := func(want string) {
		t.Helper()
		if got := l.take(); len(got) != 1 || got[0] != strings.ReplaceAll(want, "<id>", id) {
			t.Errorf("%s, want %s", got, want)
		}
	}
	const me = `,"uid":"me","nsp":"/"}`
	_ = v.To("room1").Emit("news", "hi")
	said(`{"type":3,"data":{"packet":{"type":2,"data":["news","hi"]},"opts":{"rooms":["room1"],"except":[],"flags":{}}}` + me)
	_ = v.Volatile().Compress(false).Except("x").Emit("news")
	said(`{"type":3,"data":{"packet":{"type":2,"data":["news"]},"opts":{"rooms":[],"except":["x"],"flags":{"volatile":true,"compress":false}}}` + me)
	_ = v.client.Socket().Broadcast().Emit("x")
	said(`{"type":3,"data":{"packet":{"type":2,"data":["x"]},"opts":{"rooms":[],"except":["<id>"],"flags":{}}}` + me)
	_ = v.To("room1").SocketsJoin("room2", "room3")
	said(`{"type":4,"data":{"opts":{"rooms":["room1"],"except":[],"flags":{}},"rooms":["room2","room3"]}` + me)
	_ = v.To("room1").Except("room9").SocketsLeave("room3")
	said(`{"type":5,"data":{"opts":{"rooms":["room1"],"except":["room9"],"flags":{}},"rooms":["room3"]}` + me)
	_ = v.To("room1").DisconnectSockets(false)
	said(`{"type":6,"data":{"opts":{"rooms":["room1"],"except":[],"flags":{}},"close":false}` + me)
	_ = v.ServerSideEmit("hello", "world", map[string]int{"n": 1})
	said(`{"type":9,"data":{"packet":["hello","world",{"n":1}]}` + me)
	_ = v.Local().Emit("here")
	_ = v.Local().SocketsJoin("here")
	_ = v.client.Socket().Emit("you")
	if got := l.take(); len(got) != 0 {
		t.Errorf("others were told %s", got)
	}
}

// What others ask for is answered as by Node's servers.
func TestWhatOthersAreAnswered(t *testing.T) {
	v, l := alone(t, cluster.Options{})
	socketio.OnServerSideAck(v.Server, socketio.Call[socketio.Args, string]("hello"), func(context.Context, socketio.Args) (string, error) { return "pong-B", nil })
	_ = v.client.Socket().Join("room1")
	said := func(want string) {
		t.Helper()
		var got []string
		for range 1000 {
			if got = l.take(); len(got) > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if len(got) != 1 || !strings.HasPrefix(got[0], strings.ReplaceAll(want, "<id>", v.client.ID())) {
			t.Errorf("%s, want %s", got, want)
		}
	}
	l.hear(t, `{"type":3,"data":{"packet":{"type":2,"data":["news",1]},"opts":{"rooms":["room1"],"except":[],"flags":{}}},"uid":"a","nsp":"/"}`)
	v.client.Expect("news", 1)
	l.hear(t, `{"type":3,"data":{"packet":{"type":2,"data":["ask","q1"]},"requestId":"r1","opts":{"rooms":[],"except":[],"flags":{"timeout":1000}}},"uid":"a","nsp":"/"}`)
	e := v.client.Expect("ask", "q1")
	said(`a {"type":11,"data":{"requestId":"r1","clientCount":1},"uid":"me","nsp":"/"}`)
	e.Ack("reply-q1", "more")
	said(`a {"type":12,"data":{"requestId":"r1","packet":"reply-q1"},"uid":"me","nsp":"/"}`)
	l.hear(t, `{"type":3,"data":{"packet":{"type":2,"data":["ask"]},"requestId":"r2","opts":{"rooms":["none"],"except":[],"flags":{"timeout":1000}}},"uid":"a","nsp":"/"}`)
	said(`a {"type":11,"data":{"requestId":"r2","clientCount":0},"uid":"me","nsp":"/"}`)
	l.hear(t, `{"type":9,"data":{"requestId":"r3","packet":["hello","x"]},"uid":"a","nsp":"/"}`)
	said(`a {"type":10,"data":{"requestId":"r3","packet":"pong-B"},"uid":"me","nsp":"/"}`)
	l.hear(t, `{"type":7,"data":{"opts":{"rooms":["room1"],"except":[],"flags":{}},"requestId":"r4"},"uid":"a","nsp":"/"}`)
	said(`a {"type":8,"data":{"requestId":"r4","sockets":[{"id":"<id>","handshake":{"headers":{`)
	l.hear(t, `{"type":65,"data":{"opts":{"rooms":["none"],"except":[],"flags":{}},"requestId":"r5"},"uid":"a","nsp":"/"}`)
	said(`a {"type":66,"data":{"requestId":"r5","clientCount":0},"uid":"me","nsp":"/"}`)
	l.hear(t, `{"type":67,"data":{"requestId":"r6"},"uid":"a","nsp":"/"}`)
	said(`a {"type":68,"data":{"requestId":"r6","sizes":{"room1":1}},"uid":"me","nsp":"/"}`)
	if st := v.adapter.Stats(); st.Malformed != 0 || st.Refused != 0 || st.Received != 7 {
		t.Errorf("%+v", st)
	}
	for _, nothing := range []string{
		`{"type":3,"data":{"packet":{"type":2,"data":["own"]},"opts":{}},"uid":"me","nsp":"/"}`,              // an echo
		`{"type":11,"data":{"requestId":"x","clientCount":1},"uid":"a","nsp":"/"}`,                           // of nothing
		`{"type":7,"data":{"opts":{},"requestId":"x"},"nsp":"/"}`,                                            // whom to answer?
		`{"type":3,"data":{"packet":{"type":2,"data":["no"]},"opts":{},"requestId":"x"},"uid":"","nsp":"/"}`, // the same
		`{"type":99,"uid":"a","nsp":"/"}`, `{"type":1,"uid":"a","nsp":"/"}`,
	} {
		l.hear(t, nothing)
	}
	v.client.ExpectNothing()
	if got := l.take(); len(got) != 0 {
		t.Errorf("answered: %s", got)
	}
	if st := v.adapter.Stats(); st.Strange != 1 || st.Refused != 2 {
		t.Errorf("%+v", st)
	}
}

// A message that no text was, as other Links may hand over, is looked at as well.
func TestMessagesAreLookedAt(t *testing.T) {
	v, l := alone(t, cluster.Options{})
	for _, m := range []cluster.Message{
		{Type: cluster.Broadcast},
		{Type: cluster.Broadcast, Packet: cluster.Packet{JSON: []byte(`["a"`)}},
		{Type: cluster.Broadcast, Packet: cluster.Packet{JSON: []byte("[\"\xff\"]")}},
		{Type: cluster.Broadcast, Packet: cluster.Packet{JSON: []byte(`["a",{"_placeholder":true,"num":1}]`), Attachments: [][]byte{{}}}},
		{Type: cluster.Broadcast, RequestID: "r", Packet: cluster.Packet{JSON: []byte(`["disconnect"]`)}},
		{Type: cluster.ServerSideEmit, Packet: cluster.Packet{JSON: []byte(`{}`)}},
		{Type: cluster.BroadcastClientCount, RequestID: "r", Clients: -1},
		{Type: cluster.RoomSizesResponse, RequestID: "r", Sizes: map[string]int{"x": -1}},
	} {
		m.UID = "a"
		before := v.adapter.Stats().Malformed
		l.receiver.Receive(&m)
		if v.adapter.Stats().Malformed != before+1 {
			t.Errorf("%+v was taken", m)
		}
	}
	v.client.ExpectNothing()
}

func TestHiddenHandshake(t *testing.T) {
	for _, hide := range []bool{false, true} {
		v, l := alone(t, cluster.Options{HideHandshake: hide})
		c := v.Connect(socketiotest.ConnectOptions{Auth: map[string]string{"token": "secret1"}, Header: map[string][]string{"Cookie": {"sid=secret2"}}, Query: map[string][]string{"key": {"secret3"}}})
		_ = c.Socket().Handshake()
		l.hear(t, fmt.Sprintf(`{"type":7,"data":{"opts":{"rooms":[%q]},"requestId":"r"},"uid":"a","nsp":"/"}`, c.ID()))
		var got []string
		for len(got) == 0 {
			got = l.take()
			time.Sleep(time.Millisecond)
		}
		if text := got[0]; strings.Contains(text, "secret2") == hide || strings.Contains(text, "secret3") == hide || !strings.Contains(text, `"address":"192.0.2.1"`) || hide && strings.Contains(text, "secret") {
			t.Errorf("hidden: %v: %s", hide, text)
		}
	}
}

// What is lost on the way is known exactly, and so is who sent it.
func TestTallyOfWhatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drop := map[string]int{} // how many of the next broadcasts, by receiver
		b := &clustertest.Bus{Fault: func(_, to string, m *cluster.Message) clustertest.Fate {
			if m.Type == cluster.Broadcast && drop[to] > 0 {
				drop[to]--
				return clustertest.Fate{Drop: true}
			}
			return clustertest.Fate{Delay: time.Millisecond}
		}}
		f := newFleet(t, b, 3, cluster.Options{})
		lost := func(want ...uint64) {
			t.Helper()
			time.Sleep(2 * time.Second)
			for i, v := range f {
				st := v.adapter.Stats()
				if st.Lost != want[i] || want[i] > 0 && st.LostBy[f[0].adapter.UID()] != want[i] {
					t.Errorf("server %d: %+v, want %d", i, st, want[i])
				}
			}
		}
		emit := func(n int) {
			for range n {
				_ = f[0].Emit("x")
			}
		}
		emit(5)
		lost(0, 0, 0)
		drop[f[1].adapter.UID()], drop[f[2].adapter.UID()] = 3, 10
		emit(10)
		lost(0, 3, 10)
		emit(100)
		lost(0, 3, 10)
		drop[f[2].adapter.UID()] = 1
		emit(1)
		lost(0, 3, 11)
		time.Sleep(time.Minute) // in which nothing is said
		lost(0, 3, 11)
		if st := f[0].adapter.Stats(); st.Published != 116 {
			t.Errorf("%+v", st)
		}
	})
}

// Nobody says anything while nothing happens, and then once.
func TestTalliesOfSeveralNamespaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		tallies := map[string]int{}
		b := &clustertest.Bus{Fault: func(from, _ string, m *cluster.Message) clustertest.Fate {
			mu.Lock()
			defer mu.Unlock()
			if m.Type == cluster.Tally {
				tallies[from]++
			}
			return clustertest.Fate{}
		}}
		f := newFleet(t, b, 2, cluster.Options{Pulse: new(cluster.Pulse)})
		since := func(d time.Duration) map[string]int {
			time.Sleep(d)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			got := tallies
			tallies = map[string]int{}
			return got
		}
		names := []string{"/a", "/b", "/c"}
		for _, n := range names {
			f[0].Of(n)
			f[1].Of(n)
		}
		since(10 * time.Second) // in which those who are new ask
		if got := since(time.Minute); len(got) != 0 {
			t.Errorf("of nothing: %v", got)
		}
		for _, n := range names {
			for range 3 {
				_ = f[0].Of(n).Emit("x")
			}
		}
		got := since(time.Minute)
		if len(got) != len(names) {
			t.Errorf("%v", got)
		}
		for uid, n := range got {
			if n != 1 {
				t.Errorf("%s sent %d", uid, n)
			}
		}
	})
}

// interestedLink knows rooms.
type interestedLink struct {
	*fakeLink
	rooms map[string]int
	calls int
}

func (l *interestedLink) change(room string, by int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if l.rooms[room] += by; l.rooms[room] < 0 || l.rooms[room] > 1 {
		panic("Enter and Leave do not alternate: " + room)
	}
}
func (l *interestedLink) Enter(room string) { l.change(room, 1) }
func (l *interestedLink) Leave(room string) { l.change(room, -1) }

func TestInterestFollowsMembers(t *testing.T) {
	l := &interestedLink{fakeLink: new(fakeLink), rooms: map[string]int{}}
	v := newNode(t, func(m *socketio.MemoryAdapter) socketio.Adapter {
		a, err := cluster.New(m, "me", cluster.Options{}, func(a *cluster.Adapter) (cluster.Link, error) { return l, nil })
		if err != nil {
			t.Fatal(err)
		}
		return a
	})
	const clients, names = 20, 7
	done := make(chan *socketiotest.Client)
	for i := range clients {
		c := v.Connect()
		go func() {
			s := c.Socket()
			for k := range 50 {
				_ = s.Join(fmt.Sprint((i+k)%names), fmt.Sprint((i+2*k)%names))
				s.Leave(fmt.Sprint((i + 3*k) % names))
			}
			_ = s.Join("last", "all")
			done <- c
		}()
	}
	var list []*socketiotest.Client
	for range clients {
		list = append(list, <-done)
	}
	in := map[string]int{}
	for _, c := range list {
		for _, r := range c.Socket().Rooms()[1:] {
			in[r] = 1
		}
	}
	l.mu.Lock()
	for room, n := range l.rooms {
		if n != in[room] {
			t.Errorf("%q: %d, want %d", room, n, in[room])
		}
	}
	l.mu.Unlock()
	for i, c := range list {
		if i%2 == 0 {
			c.Close()
		} else {
			c.Disconnect()
		}
	}
	occupied := func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, n := range l.rooms {
			if n != 0 {
				return true
			}
		}
		return false
	}
	for end := time.Now().Add(10 * time.Second); occupied(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after all have gone: %v", l.rooms)
		}
	}
}

// The table is bounded, and what is beyond it fails at once; Close ends what waits.
func TestRequestsAreBounded(t *testing.T) {
	v, l := alone(t, cluster.Options{MaxRequests: 1})
	l.others = 1
	ctx := t.Context()
	got := make(chan error, 1)
	go func() {
		_, err := v.Of("/").FetchSockets(ctx)
		got <- err
	}()
	for v.adapter.Stats().Requests == 0 {
		time.Sleep(time.Millisecond)
	}
	for len(l.take()) == 0 {
		time.Sleep(time.Millisecond)
	}
	list, err := v.Of("/").FetchSockets(ctx)
	if !errors.Is(err, cluster.ErrTooManyRequests) || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := v.To().EmitWithAck(ctx, "x"); !errors.Is(err, cluster.ErrTooManyRequests) {
		t.Error(err)
	}
	v.client.ExpectNothing()
	_ = v.Shutdown(ctx)
	if err := <-got; !errors.Is(err, cluster.ErrClosed) && !errors.Is(err, socketio.ErrServerClosed) {
		t.Error(err)
	}
	if n := v.adapter.Stats().Requests; n != 0 {
		t.Errorf("%d wait still", n)
	}
	if err := v.adapter.Broadcast(&socketio.Broadcast{Array: []byte(`["x"]`)}); err != nil && !errors.Is(err, cluster.ErrClosed) {
		t.Error(err)
	}
}

// A broker that is away costs others their part, and nobody here anything.
func TestBrokerIsAway(t *testing.T) {
	v, l := alone(t, cluster.Options{})
	l.err = errors.New("away")
	ctx := t.Context()
	if err := v.Emit("x", 1); !errors.Is(err, l.err) {
		t.Error(err)
	}
	v.client.Expect("x", 1)
	if err := v.Volatile().Emit("y"); err != nil {
		t.Error(err)
	}
	v.client.Expect("y")
	var lack *cluster.IncompleteError
	if list, err := v.Of("/").FetchSockets(ctx); len(list) != 1 || !errors.As(err, &lack) || !errors.Is(err, l.err) {
		t.Errorf("%v, %v", list, err)
	}
	if n, err := v.To().Count(ctx); n != 1 || !errors.As(err, &lack) {
		t.Errorf("%v, %v", n, err)
	}
	if err := v.SocketsJoin("room"); !errors.Is(err, l.err) || len(v.client.Socket().Rooms()) != 2 {
		t.Error(err)
	}
	if n, err := v.Of("/").ServerCount(ctx); n != 1 || err == nil {
		t.Error(n, err)
	}
	type result struct {
		n   int
		err error
	}
	got := make(chan result, 1)
	go func() {
		list, err := v.To().EmitWithAck(ctx, "ask")
		got <- result{len(list), err}
	}()
	v.client.Expect("ask").Ack(1)
	if r := <-got; r.n != 1 || !errors.As(r.err, &lack) {
		t.Errorf("%+v", r)
	}
	if st := v.adapter.Stats(); st.Dropped < 4 || st.Requests != 0 {
		t.Errorf("%+v", st)
	}
}

// Requests that come while a namespace is made are answered: whoever asks has counted it.
func TestRequestsBeforeTheNamespaceIsReady(t *testing.T) {
	l := new(fakeLink)
	newNode(t, func(m *socketio.MemoryAdapter) socketio.Adapter {
		a, err := cluster.New(m, "me", cluster.Options{}, func(a *cluster.Adapter) (cluster.Link, error) {
			l.receiver = a
			l.hear(t, `{"type":7,"data":{"opts":{},"requestId":"r1"},"uid":"a","nsp":"/"}`)
			l.hear(t, `{"type":3,"data":{"packet":{"type":2,"data":["x"]},"opts":{}},"uid":"a","nsp":"/"}`)
			l.hear(t, `{"type":3,"data":{"packet":{"type":2,"data":["x"]},"opts":{},"requestId":"r2"},"uid":"a","nsp":"/"}`)
			return l, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return a
	})
	want := []string{`a {"type":8,"data":{"requestId":"r1","sockets":[]},"uid":"me","nsp":"/"}`, `a {"type":11,"data":{"requestId":"r2","clientCount":0},"uid":"me","nsp":"/"}`}
	if got := l.take(); !slices.Equal(got, want) {
		t.Errorf("%s", got)
	}
}

// A server that is known to be of this package is told which socket answers, and who
// has gone.
func TestOwnPeersAreToldMore(t *testing.T) {
	v, l := alone(t, cluster.Options{})
	for i, tally := range []bool{false, true} {
		if tally {
			l.hear(t, `{"type":64,"data":{"sent":{"":0}},"uid":"a","nsp":"/"}`)
		}
		c := v.Connect()
		l.hear(t, fmt.Sprintf(`{"type":3,"data":{"packet":{"type":2,"data":["ask"]},"requestId":"r%d","opts":{"rooms":[%q],"flags":{"timeout":60000}}},"uid":"a","nsp":"/"}`, i, c.ID()))
		c.Expect("ask")
		c.Disconnect()
		var want string
		if tally {
			want = fmt.Sprintf(` a {"type":12,"data":{"requestId":"r1","socketId":%q,"failed":"socketio: socket disconnected"},"uid":"me","nsp":"/"}`, c.ID())
		}
		for v.adapter.Stats().Serving > 0 {
			time.Sleep(time.Millisecond)
		}
		if got := l.take(); fmt.Sprint(got) != fmt.Sprintf(`[a {"type":11,"data":{"requestId":"r%d","clientCount":1},"uid":"me","nsp":"/"}%s]`, i, want) {
			t.Errorf("%s", got)
		}
	}
}

// A request of another server ends at its time, and when that server goes.
func TestServingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, l := alone(t, cluster.Options{MaxRequests: 2})
		ask := `{"type":3,"data":{"packet":{"type":2,"data":["ask"]},"requestId":"%s","opts":{"flags":{"timeout":1000}}},"uid":"%s","nsp":"/"}`
		l.hear(t, fmt.Sprintf(ask, "r1", "a"))
		l.hear(t, fmt.Sprintf(ask, "r1", "a")) // twice
		l.hear(t, fmt.Sprintf(ask, "r1", "b"))
		l.hear(t, fmt.Sprintf(ask, "r2", "b")) // one too many
		synctest.Wait()
		if st := v.adapter.Stats(); st.Serving != 2 || st.Refused != 2 {
			t.Errorf("%+v", st)
		}
		l.hear(t, `{"type":13,"uid":"a","nsp":"/"}`)
		if st := v.adapter.Stats(); st.Serving != 1 {
			t.Errorf("%+v", st)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if st := v.adapter.Stats(); st.Serving != 0 || v.Stats().BroadcastAcks != 0 {
			t.Errorf("%+v", st)
		}
		v.client.Expect("ask").Ack("too late")
		v.client.Expect("ask")
		v.client.ExpectNothing()
		if got := l.take(); len(got) != 2 {
			t.Errorf("%s", got)
		}
	})
}

// What another server says of itself costs no more than what it has sent.
func TestBoastsAreBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("many answers")
	}
	v, l := alone(t, cluster.Options{})
	l.others = 2
	ctx, cancel := context.WithCancelCause(t.Context())
	got := make(chan int, 1)
	go func() {
		n := 0
		for _, err := range v.To("nobody").AskAll(ctx, "ask") {
			if err != nil {
				n++
			}
		}
		got <- n
	}()
	var sent []string
	for len(sent) == 0 {
		sent = l.take()
		time.Sleep(time.Millisecond)
	}
	m, _, err := cluster.ParseJSON([]byte(sent[0]), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, uid := range []string{"a", "a", "b"} { // one says it twice
		l.hear(t, fmt.Sprintf(`{"type":11,"data":{"requestId":%q,"clientCount":2147483647},"uid":%q,"nsp":"/"}`, m.RequestID, uid))
	}
	cancel(context.DeadlineExceeded)
	if n := <-got; n > 1<<18+1 {
		t.Errorf("%d results", n)
	}
}

// There is room for so many servers' tallies, and a new one takes the place of the one
// that has said nothing for longest.
func TestTalliesOfManyServers(t *testing.T) {
	if testing.Short() {
		t.Skip("many messages")
	}
	v, l := alone(t, cluster.Options{})
	for i := range 3000 {
		l.hear(t, fmt.Sprintf(`{"type":64,"data":{"sent":{"":5,"x":1}},"uid":"u%d","nsp":"/"}`, i))
	}
	l.hear(t, `{"type":64,"data":{"sent":{"":9}},"uid":"u2999","nsp":"/"}`)
	l.hear(t, `{"type":64,"data":{"sent":{"":9}},"uid":"u0","nsp":"/"}`)    // anew
	l.hear(t, `{"type":64,"data":{"sent":{"":2}},"uid":"u2999","nsp":"/"}`) // nonsense
	if st := v.adapter.Stats(); st.Lost != 4 || st.LostBy["u2999"] != 4 || len(st.LostBy) != 1 {
		t.Errorf("%+v", st)
	}
}

// Answers of those who were not asked, and second ones, do not count.
func TestStrangersDoNotAnswer(t *testing.T) {
	v, l := alone(t, cluster.Options{})
	l.uids = []string{"a", "b"}
	request := func() string {
		t.Helper()
		for {
			if sent := l.take(); len(sent) > 0 {
				m, _, err := cluster.ParseJSON([]byte(sent[0]), nil)
				if err != nil {
					t.Fatal(err)
				}
				return m.RequestID
			}
			time.Sleep(time.Millisecond)
		}
	}
	answer := func(kind int, uid, id, data string) {
		l.hear(t, fmt.Sprintf(`{"type":%d,"data":{"requestId":%q,%s},"uid":%q,"nsp":"/"}`, kind, id, data, uid))
	}
	type result struct {
		n   int
		err error
	}
	got := make(chan result, 1)
	go func() {
		list, err := v.To("nobody").FetchSockets(t.Context())
		got <- result{len(list), err}
	}()
	id := request()
	for _, uid := range []string{"c", "a", "a", "", "me", "emitter", "b"} {
		answer(8, uid, id, fmt.Sprintf(`"sockets":[{"id":"of %s"}]`, uid))
	}
	if r := <-got; r.n != 2 || r.err != nil {
		t.Errorf("%+v", r)
	}
	go func() {
		list, err := v.To("nobody").EmitWithAck(t.Context(), "ask")
		got <- result{len(list), err}
	}()
	id = request()
	for _, uid := range []string{"c", "a", "a", ""} {
		answer(11, uid, id, `"clientCount":1`)
		answer(12, uid, id, `"packet":1`)
		answer(12, uid, id, `"packet":2`)
	}
	answer(11, "b", id, `"clientCount":2`)
	answer(12, "b", id, `"packet":1,"socketId":"x"`)
	answer(12, "b", id, `"packet":1,"socketId":"x"`)
	answer(12, "b", id, `"packet":1,"socketId":"y"`)
	if r := <-got; r.n != 3 || r.err != nil {
		t.Errorf("%+v", r)
	}
	if st := v.adapter.Stats(); st.Requests != 0 {
		t.Errorf("%+v", st)
	}
}
