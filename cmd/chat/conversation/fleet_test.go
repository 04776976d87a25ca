package conversation_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// cable connects servers within the test.
type cable struct {
	mu   sync.Mutex
	ends []*cableEnd // guarded by mu
}

type cableEnd struct {
	cable   *cable
	adapter *cluster.Adapter
	cut     bool // guarded by cable.mu
}

// plug is the adapter of one more server.
func (c *cable) plug(local *socketio.MemoryAdapter) socketio.Adapter {
	a, err := cluster.New(local, cluster.NewUID(), cluster.Options{}, func(a *cluster.Adapter) (cluster.Link, error) {
		e := &cableEnd{cable: c, adapter: a}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ends = append(c.ends, e)
		return e, nil
	})
	if err != nil {
		panic(err)
	}
	return a
}

// others are those that hear e.
func (e *cableEnd) others() (all []*cluster.Adapter) {
	e.cable.mu.Lock()
	defer e.cable.mu.Unlock()
	for _, o := range e.cable.ends {
		if o != e && !o.cut && !e.cut {
			all = append(all, o.adapter)
		}
	}
	return all
}

func (e *cableEnd) Publish(m *cluster.Message) error {
	for _, o := range e.others() {
		o.Receive(m)
	}
	return nil
}

func (e *cableEnd) Answer(uid string, m *cluster.Message) error {
	for _, o := range e.others() {
		if o.UID() == uid {
			o.Receive(m)
		}
	}
	return nil
}

func (e *cableEnd) Others(context.Context) (n int, uids []string, err error) {
	for _, o := range e.others() {
		uids = append(uids, o.UID())
	}
	return len(uids), uids, nil
}

func (e *cableEnd) Close() error { e.pull(); return nil }

func (e *cableEnd) pull() {
	e.cable.mu.Lock()
	defer e.cable.mu.Unlock()
	e.cut = true
}

func (e *cableEnd) plugIn() {
	e.cable.mu.Lock()
	defer e.cable.mu.Unlock()
	e.cut = false
}

// inFleet runs a test with two servers that are one chat.
func inFleet(t *testing.T, test func(t *testing.T, c *cable, here, there *chat)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := new(cable)
		o := options{adapter: c.plug}
		o.Fleet = true
		test(t, c, open(t, o), open(t, o))
	})
}

func names(p conversation.People) []string {
	all := slices.Clone(p.Names)
	slices.Sort(all)
	return all
}

func TestARoomIsOneOnAllServers(t *testing.T) {
	inFleet(t, func(t *testing.T, _ *cable, here, there *chat) {
		ada, bob := here.Connect(), there.Connect()
		ask[conversation.Person](t, ada, "setName", "Ada")
		ask[conversation.Person](t, bob, "setName", "Bob")
		ask[conversation.People](t, ada, "join", "tea")
		ask[conversation.People](t, bob, "join", "tea")
		time.Sleep(2 * time.Second) // one is told of the other
		for _, c := range []*conversation.People{
			ptr(ask[conversation.People](t, ada, "who", "tea")), ptr(ask[conversation.People](t, bob, "who", "tea")),
			ptr(ask[conversation.People](t, ada, "who", "")), ptr(ask[conversation.People](t, bob, "who", "")),
		} {
			if got := names(*c); c.Count != 2 || !slices.Equal(got, []string{"Ada", "Bob"}) || len(c.IDs) != 2 {
				t.Errorf("%q has %d: %v", c.Room, c.Count, got)
			}
		}
		time.Sleep(10 * time.Second)
		skip(ada, bob)
		ask[conversation.Left](t, bob, "leave", "tea")
		time.Sleep(2 * time.Second)
		if p := conversationPresence(t, ada.Expect("presence").Args); p.Room != "tea" || p.Count != 1 || !slices.Equal(p.Names, []string{"Ada"}) {
			t.Errorf("presence %+v", p)
		}
		ask[conversation.Sent](t, bob, "chatMessage", "hello")
		time.Sleep(time.Second)
		if text, m := reply(t, ada); text != "hello" || m.Name != "Bob" {
			t.Errorf("%q of %+v", text, m)
		}
	})
}

func ptr[T any](v T) *T { return &v }

func conversationPresence(t *testing.T, a socketio.Args) (p conversation.People) {
	t.Helper()
	if err := a.Decode(&p); err != nil {
		t.Fatal(err)
	}
	return p
}

// What was said at one server is in the history of the other, which has a store of its own.
func TestHistoriesAreOne(t *testing.T) {
	inFleet(t, func(t *testing.T, _ *cable, here, there *chat) {
		ada, bob := here.Connect(), there.Connect()
		first := ask[conversation.Sent](t, ada, "chatMessage", "one")
		time.Sleep(time.Second)
		second := ask[conversation.Sent](t, bob, "chatMessage", "two")
		time.Sleep(time.Second)
		for _, h := range []*history.History{here.said, there.said} {
			got, _, err := h.Before(t.Context(), "", "", 10)
			if err != nil || len(got) != 2 || got[0].ID != first.ID || got[1].ID != second.ID || got[0].Text != "one" {
				t.Errorf("%+v, %v", got, err)
			}
		}
	})
}

// A server that is gone takes with it who was there, after a while; one that comes is told who is here.
func TestServersComeAndGo(t *testing.T) {
	inFleet(t, func(t *testing.T, c *cable, here, there *chat) {
		ada, _ := here.Connect(), there.Connect()
		time.Sleep(2 * time.Second)
		if p := ask[conversation.People](t, ada, "who", ""); p.Count != 2 {
			t.Errorf("%d are there", p.Count)
		}
		o := options{adapter: c.plug}
		o.Fleet = true
		third := open(t, o)
		eve := third.Connect()
		time.Sleep(2 * time.Second)
		if p := ask[conversation.People](t, eve, "who", ""); p.Count != 3 || len(p.Names) != 3 {
			t.Errorf("the third server knows of %d", p.Count)
		}
		skip(ada)
		c.ends[1].pull()
		time.Sleep(25 * time.Second)
		if p := ask[conversation.People](t, ada, "who", ""); p.Count != 2 {
			t.Errorf("%d are there still", p.Count)
		}
	})
}

// Who was alone in a room, is away until nobody knows the room any more, and comes back, is there for those elsewhere, too.
func TestWhoRecoversIsSeenElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options{adapter: new(cable).plug, recovery: &socketio.Recovery{}}
		o.Fleet = true
		here, there := open(t, o), open(t, o)
		ada, bob := here.Connect(), there.Connect()
		ask[conversation.People](t, ada, "join", "tea")
		ask[conversation.People](t, bob, "join", "tea")
		ask[conversation.Sent](t, bob, "chatMessage", in("tea", "one"))
		time.Sleep(20 * time.Second)
		skip(ada, bob)
		ada.Close()
		time.Sleep(7 * time.Second)
		if p := ask[conversation.People](t, bob, "who", "tea"); p.Count != 1 {
			t.Errorf("%d are there while she is away", p.Count)
		}
		if back := ada.Reconnect(); !back.Recovered() {
			t.Error("she is not recovered")
		}
		time.Sleep(2 * time.Second)
		if p := ask[conversation.People](t, bob, "who", "tea"); p.Count != 2 || len(p.Names) != 2 {
			t.Errorf("%d are there when she is back: %q", p.Count, p.Names)
		}
	})
}

// A server that stops in good order is not waited for.
func TestWhoWasAtAServerThatStopsIsGoneAtOnce(t *testing.T) {
	inFleet(t, func(t *testing.T, _ *cable, here, there *chat) {
		ada, _ := here.Connect(), there.Connect()
		time.Sleep(2 * time.Second)
		if p := ask[conversation.People](t, ada, "who", ""); p.Count != 2 {
			t.Errorf("%d are there", p.Count)
		}
		there.talk.Leave()
		if err := there.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if p := ask[conversation.People](t, ada, "who", ""); p.Count != 1 {
			t.Errorf("%d are there still", p.Count)
		}
	})
}

// A server that could not be heard when it came, and says hello again, knows at once who is in any number of rooms.
func TestAServerIsToldOfEverybodyWhenItSaysHello(t *testing.T) {
	inFleet(t, func(t *testing.T, c *cable, here, _ *chat) {
		const rooms = 45
		for range 6 {
			crowd := here.Connect()
			for i := range rooms {
				ask[conversation.People](t, crowd, "join", crowd.ID()+fmt.Sprint(i))
			}
		}
		time.Sleep(2 * time.Second)
		o := options{adapter: c.plug}
		o.Fleet = true
		third := open(t, o)
		c.ends[2].pull()
		time.Sleep(100 * time.Millisecond)
		c.ends[2].plugIn()
		third.talk.Hello()
		time.Sleep(time.Second)
		if n := third.talk.Elsewhere(); n != 6*rooms+1 {
			t.Errorf("it knows of %d rooms", n)
		}
	})
}
