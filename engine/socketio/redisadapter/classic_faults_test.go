package redisadapter_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// post is a server with a fleet of its own, and a client.
type post struct {
	*socketiotest.Server
	fleet  *redisadapter.Fleet
	client *socketiotest.Client
}

// newPost starts a server. All of them know each other's counts when there are others.
func newPost(t testing.TB, options redisadapter.Options, others ...*post) *post {
	t.Helper()
	p := &post{fleet: join(t, options)}
	p.Server = socketiotest.NewServer(t, socketio.Options{Adapter: p.fleet.Adapter, Logger: slog.New(slog.DiscardHandler)})
	p.client = p.Connect()
	settle(t, p.fleet)
	for _, o := range others {
		eventually(t, "tallies", func() bool {
			return o.fleet.Stats().Cluster.Tallied == len(others) && p.fleet.Stats().Cluster.Tallied == len(others)
		})
	}
	return p
}

// numbered emits from, from+1, … to-1.
func (p *post) numbered(t testing.TB, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := p.Of("/").Emit("n", i); err != nil {
			t.Fatal(err)
		}
	}
}

// number reads the number of the next event.
func (p *post) number(t testing.TB) int {
	t.Helper()
	var n []int
	e := p.client.Expect("n")
	if err := json.Unmarshal([]byte(e.Args.String()), &n); err != nil || len(n) != 1 {
		t.Fatal(e, err)
	}
	return n[0]
}

// upTo reads numbers until last, has them ascend, and returns how many there were.
func (p *post) upTo(t testing.TB, last int) (got int) {
	t.Helper()
	for before := -1; before < last; got++ {
		n := p.number(t)
		if n <= before {
			t.Fatalf("%d came after %d", n, before)
		}
		before = n
	}
	return got
}

// accounted requires that p got what was sent, but for what it knows that it has lost.
func (p *post) accounted(t testing.TB, sent, got int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d lost of %d", sent-got, sent), func() bool { return p.fleet.Stats().Cluster.Lost == uint64(sent-got) })
	t.Logf("%d of %d delivered, %d reported as lost", got, sent, sent-got)
}

func TestWhatASubscriberMissesIsReported(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, db.Addr)
	a := newPost(t, redisadapter.Options{URL: db.URL})
	b := newPost(t, redisadapter.Options{URL: "redis://" + proxy.Addr}, a)
	a.numbered(t, 0, 10)
	got := b.upTo(t, 9)
	proxy.Hold()
	proxy.Cut()
	eventually(t, "b is cut off", func() bool { return b.fleet.Ready() != nil })
	a.numbered(t, 10, 15)
	eventually(t, "all is sent", func() bool { return a.fleet.Stats().Outbox.Sent >= 15 })
	proxy.Forward()
	settle(t, b.fleet)
	b.accounted(t, 15, got) // before anything else is sent
	if err := b.fleet.Ready(); err != nil {
		t.Error(err)
	}
	a.numbered(t, 15, 20)
	got += b.upTo(t, 19)
	b.accounted(t, 20, got)
	if got != 15 || b.fleet.Stats().Gaps != 1 {
		t.Errorf("got %d, %d gaps", got, b.fleet.Stats().Gaps)
	}
}

// While events are sent all the time connections are killed, and Redis itself.
func TestCutsInAStreamOfEvents(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	a := newPost(t, redisadapter.Options{URL: db.URL})
	b := newPost(t, redisadapter.Options{URL: db.URL}, a)
	var stop atomic.Bool
	sent := make(chan int)
	go func() {
		i := 0
		for ; !stop.Load(); i++ {
			_ = a.Of("/").Emit("n", i) // what there is no room for is lost, too
			if i%20 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		sent <- i
	}()
	got := make(chan int)
	var reached atomic.Int64
	go func() {
		n, before := 0, -1
		for {
			i := b.number(t)
			if i < 0 {
				got <- n
				return
			}
			if i <= before {
				t.Errorf("%d came after %d", i, before)
			}
			n, before = n+1, i
			reached.Store(int64(i))
		}
	}()
	progress := func() {
		t.Helper()
		from := reached.Load()
		eventually(t, "more events", func() bool { return reached.Load() > from+50 })
	}
	progress()
	for i := range 3 {
		db.Command("CLIENT", "KILL", "TYPE", "PUBSUB")
		eventually(t, "a gap", func() bool { s := b.fleet.Stats(); return s.Gaps == uint64(i+1) && !s.LastGap.To.IsZero() })
		progress()
		db.Command("CLIENT", "KILL", "TYPE", "NORMAL") // those that send
		progress()
	}
	db.Kill()
	eventually(t, "nothing", func() bool { return a.fleet.Ready() != nil && b.fleet.Ready() != nil })
	db.Start()
	settle(t, a.fleet, b.fleet)
	progress()
	stop.Store(true)
	total := <-sent
	eventually(t, "all is sent", func() bool { return a.fleet.Stats().Outbox.Waiting == 0 })
	if err := a.Of("/").Emit("n", -1); err != nil {
		t.Error(err)
	}
	b.accounted(t, total, <-got)
	if n := a.client.Received(); n != total+1 {
		t.Errorf("%d of %d came to those of the same server", n, total+1)
	}
	if s := b.fleet.Stats(); s.Gaps != 4 {
		t.Errorf("%d gaps", s.Gaps)
	}
}

func TestLocalDeliveryGoesOnWhileRedisStandsStill(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	patient := redisadapter.Options{URL: db.URL, DeadAfter: time.Minute}
	a := newPost(t, patient)
	b := newPost(t, patient, a)
	db.Stop()
	a.numbered(t, 0, 1000)
	if got := a.upTo(t, 999); got != 1000 {
		t.Errorf("%d came", got)
	}
	db.Continue()
	if got := b.upTo(t, 999); got != 1000 {
		t.Errorf("%d came to the other server", got)
	}
	if s := b.fleet.Stats(); s.Gaps+s.Cluster.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

// One that stands still for longer is given up, on both ways.
func TestRedisThatStandsStillForLong(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	f := join(t, redisadapter.Options{URL: db.URL, DeadAfter: 100 * time.Millisecond})
	io := serve(t, f)
	db.Stop()
	eventually(t, "nothing", func() bool { return f.Ready() != nil })
	ctx, cancel := deadline(t, 50*time.Millisecond)
	defer cancel()
	if _, err := io.Of("/").ServerCount(ctx); err == nil {
		t.Error("who has counted that?")
	}
	db.Continue()
	settle(t, f)
	eventually(t, "one subscription", func() bool {
		return db.Command("PUBSUB", "NUMSUB", "socket.io-request#/#") == "socket.io-request#/#\n1"
	})
}

func TestOverflowDropsVolatileEventsFirst(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	patient := redisadapter.Options{URL: db.URL, DeadAfter: time.Minute}
	b := newPost(t, patient)
	patient.Outbox = cluster.OutboxOptions{MaxMessages: 100, Batch: 1}
	a := newPost(t, patient, b)
	db.Stop()
	a.numbered(t, 0, 1)
	eventually(t, "it is on its way", func() bool { return a.fleet.Stats().Outbox.Waiting == 0 })
	for range 150 {
		if err := a.Of("/").Volatile().Emit("v"); err != nil {
			t.Error(err)
		}
	}
	a.numbered(t, 1, 101)
	for range 7 {
		if err := a.Of("/").Emit("n", 999); !errors.Is(err, redisadapter.ErrFull) {
			t.Error(err)
		}
	}
	if s := a.fleet.Stats().Outbox; s.DroppedFirst != 150 || s.Dropped != 157 || s.Waiting != 100 {
		t.Errorf("%+v", s)
	}
	eventually(t, "all came here", func() bool { return a.client.Received() == 1+150+100+7 })
	db.Continue()
	if got := b.upTo(t, 100); got != 101 {
		t.Errorf("%d came", got)
	}
	a.numbered(t, 101, 102)
	b.upTo(t, 101)
	b.accounted(t, 102+157, 102)
}

// What was written when the connection is lost is never sent again.
func TestNothingIsSentTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, db.Addr)
	a := newPost(t, redisadapter.Options{URL: "redis://" + proxy.Addr})
	b := newPost(t, redisadapter.Options{URL: db.URL}, a)
	next, got, unknown := 0, 0, uint64(0)
	for i := range 6 {
		if proxy.Hold(); i%2 == 0 {
			proxy.HoldAnswers() // what is written is done, then
		}
		a.numbered(t, next, next+100)
		next += 100
		if i%2 == 0 {
			got += b.upTo(t, next-100)
		}
		eventually(t, "some are on their way", func() bool { return a.fleet.Stats().Outbox.Waiting < 100 })
		proxy.Cut()
		eventually(t, "they are given up", func() bool { return a.fleet.Stats().Unknown > unknown })
		unknown = a.fleet.Stats().Unknown
		proxy.Forward()
		a.numbered(t, next, next+1)
		next++
		got += b.upTo(t, next-1) // there is a connection again, and nothing waits
		settle(t, a.fleet)
	}
	a.numbered(t, next, next+1)
	got += b.upTo(t, next)
	b.accounted(t, next+1, got)
	if s := a.fleet.Stats(); s.Unknown < uint64(next+1-got) {
		t.Errorf("%d messages were given up, but %d did not come", s.Unknown, next+1-got)
	}
}

// What is no message of Node's classic adapter is counted, and that is all.
func TestMalformedMessagesOfOthers(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	p := newPost(t, redisadapter.Options{URL: db.URL, MaxMessage: 10_000})
	for i, m := range []struct{ channel, body string }{
		{"socket.io#/#", string(unhex(t, "84a47479706509a46461746181a67061636b657493a568656c6c6fa5776f726c6481a16e01a3756964b061613838333037623331383337373663a36e7370a12f"))},
		{"socket.io#/#", ""},
		{"socket.io#/#", "\xdd\xff\xff\xff\xff"},
		{"socket.io-request#/#", "{"},
		{"socket.io-request#/#", `{"type":5,"requestId":"x","opts":7}`},
		{"socket.io-response#/#", "\x93\x01\x02\x03"},
		{"socket.io#/#", strings.Repeat("x", 10_001)},
	} {
		db.Command("PUBLISH", m.channel, m.body)
		eventually(t, "it is counted", func() bool { return p.fleet.Stats().Malformed == uint64(i+1) })
	}
	if s := p.fleet.Stats(); s.TooLarge != 1 || s.Received != 7 {
		t.Errorf("%+v", s)
	}
	db.Command("PUBLISH", "socket.io#/#", string(captures(t, "testdata/classic.txt")[0].bytes))
	p.client.Expect("news", "hi", 1, json.RawMessage(`{"a":true,"b":null,"f":1.5}`))
	if n := p.client.Received(); n != 0 {
		t.Errorf("%d more came", n)
	}
}
