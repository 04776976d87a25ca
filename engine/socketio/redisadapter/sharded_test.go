package redisadapter_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// pair is two servers in Mode Sharded.
type pair struct {
	*testing.T
	db     *redistest.Server
	fleets [2]*redisadapter.Fleet
	at     [2]*socketio.Server
}

func newPair(t *testing.T, how redisadapter.Subscriptions, recovery *socketio.Recovery) *pair {
	t.Helper()
	p := &pair{T: t, db: redistest.Start(t, redistest.Options{})}
	for i := range p.at {
		f := join(t, redisadapter.Options{URL: p.db.URL, Mode: redisadapter.Sharded, Sharded: redisadapter.ShardedOptions{Subscriptions: how}, Pause: 10 * time.Millisecond})
		io := socketio.New(socketio.Options{Adapter: f.Adapter, Logger: slog.New(slog.DiscardHandler), ConnectionStateRecovery: recovery})
		if err := io.StartInner(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = io.Shutdown(context.Background()) })
		settle(t, f)
		p.fleets[i], p.at[i] = f, io
	}
	return p
}

// channels returns those that servers have subscribed to, but for the fixed ones.
func (p *pair) channels() string {
	p.Helper()
	var rooms []string
	for c := range strings.SplitSeq(p.db.Command("PUBSUB", "SHARDCHANNELS"), "\n") {
		if name, found := strings.CutPrefix(c, "socket.io#/#"); found && name != "" && !uid.MatchString(name) {
			rooms = append(rooms, name)
		}
	}
	return strings.Join(rooms, " ")
}

func (p *pair) subscribes(want string) {
	p.Helper()
	eventually(p, "channels "+want, func() bool { return p.channels() == want })
	settle(p, p.fleets[:]...)
}

// Who has nobody in a room is told nothing of it, and who has hears of it, again where
// the connection was lost.
func TestRoomsAreSubscribedToWhereSomebodyIs(t *testing.T) {
	t.Parallel()
	p := newPair(t, redisadapter.Dynamic, nil)
	c := newWanderer(t)
	c.enter(p.at[0])
	s := socketOf(t, p.at[0], c.sid)
	p.subscribes("")
	ok(t, p.at[1].To("red").Emit("nobody"))
	ok(t, p.at[1].Emit("all"))
	c.expect(`["all"]`)
	ok(t, s.Join("red", "red", "20 characters of name"[1:]))
	p.subscribes("red#")
	ok(t, p.at[1].To("red").Emit("one"))
	c.expect(`["all"]`, `["one"]`)
	if n := p.fleets[0].Stats().Received; n != 2 {
		t.Errorf("%d messages received", n)
	}
	ok(t, p.at[1].To("20 characters of name"[1:]).Emit("two"))
	ok(t, p.at[1].To(c.sid).Emit("three"))
	c.expect(`["all"]`, `["one"]`, `["two"]`, `["three"]`)
	p.db.Command("CLIENT", "KILL", "TYPE", "PUBSUB")
	eventually(t, "gaps", func() bool { return p.fleets[0].Stats().Gaps == 1 && p.fleets[1].Stats().Gaps == 1 })
	p.subscribes("red#")
	ok(t, p.at[1].To("red").Emit("four"))
	c.expect(`["all"]`, `["one"]`, `["two"]`, `["three"]`, `["four"]`)
	s.Leave("red")
	p.subscribes("")
}

// A room that is called as a server is shares a channel with it, and neither minds.
func TestARoomIsCalledAsAServer(t *testing.T) {
	t.Parallel()
	p := newPair(t, redisadapter.Dynamic, nil)
	var names []string // of both servers
	for c := range strings.SplitSeq(p.db.Command("PUBSUB", "SHARDCHANNELS"), "\n") {
		if name := strings.TrimPrefix(c, "socket.io#/#"); uid.MatchString(name) {
			names = append(names, strings.TrimSuffix(name, "#"))
		}
	}
	if len(names) != 2 {
		t.Fatalf("servers %q", names)
	}
	a, b := newWanderer(t), newWanderer(t)
	a.enter(p.at[0])
	b.enter(p.at[1])
	ok(t, socketOf(t, p.at[0], a.sid).Join(names...))
	ok(t, socketOf(t, p.at[1], b.sid).Join(names...))
	settle(t, p.fleets[:]...)
	for _, name := range names {
		ok(t, p.at[0].To(name).Emit("x"))
	}
	a.expect(`["x"]`, `["x"]`)
	b.expect(`["x"]`, `["x"]`)
	asked := func() {
		t.Helper()
		for _, io := range p.at {
			if all, err := io.FetchSockets(t.Context()); len(all) != 2 || err != nil {
				t.Errorf("%d found, %v", len(all), err)
			}
		}
	}
	asked()
	socketOf(t, p.at[0], a.sid).Leave(names...)
	socketOf(t, p.at[1], b.sid).Leave(names...)
	settle(t, p.fleets[:]...)
	asked() // the servers' own channels are there still
}

// What is lost with the connection that receives is counted; what went to a room's
// channel is not, as it was not for everybody.
func TestLossesOfShardedPubSubAreCounted(t *testing.T) {
	t.Parallel()
	p := newPair(t, redisadapter.Dynamic, nil)
	c := newWanderer(t)
	c.enter(p.at[0])
	ok(t, p.at[1].Emit("first"))
	c.expect(`["first"]`)
	eventually(t, "a tally", func() bool { return p.fleets[1].Stats().Outbox.Sent >= 2 })
	p.db.Command("CLIENT", "KILL", "TYPE", "PUBSUB")
	lost := 0
	for p.fleets[0].Stats().Gaps == 0 || p.fleets[0].Ready() != nil {
		ok(t, p.at[1].Emit("lost"))
		ok(t, p.at[1].To("room").Emit("not for all"))
		lost++
		time.Sleep(time.Millisecond)
	}
	ok(t, p.at[1].Emit("last"))
	c.until("the last", func() bool { return len(c.got) > 0 && c.got[len(c.got)-1] == `["last"]` })
	came := len(c.got) - 2
	eventually(t, "the count", func() bool { return p.fleets[0].Stats().Cluster.Lost == uint64(lost-came) })
}

// With a channel for each socket, it is there as long as the socket may be sent something.
func TestSocketsHaveChannels(t *testing.T) {
	t.Parallel()
	p := newPair(t, redisadapter.DynamicPrivate, &socketio.Recovery{MaxDisconnectionDuration: 300 * time.Millisecond})
	c := newWanderer(t)
	c.enter(p.at[0])
	sid := c.sid
	p.subscribes(sid + "#")
	ok(t, p.at[1].To(sid).Emit("one"))
	c.expect(`["one"]`)
	c.leave()
	ok(t, p.at[1].To(sid).Emit("two"))
	eventually(t, "it comes", func() bool { return p.fleets[0].Stats().Received >= 2 })
	if !c.enter(p.at[0]) || c.sid != sid {
		t.Fatal("not recovered")
	}
	c.expect(`["one"]`, `["two"]`)
	p.subscribes(sid + "#")
	c.leave()
	p.subscribes("")
}

func TestShardedOverSeveralMastersIsNotReady(t *testing.T) {
	t.Parallel()
	f := join(t, redisadapter.Options{URL: redistest.StartCluster(t, 2)[0].URL, Mode: redisadapter.Sharded})
	eventually(t, "a reason", func() bool { return errors.Is(f.Ready(), redisadapter.ErrSeveralMasters) })
}
