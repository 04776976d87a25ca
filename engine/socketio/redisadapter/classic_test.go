package redisadapter_test

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/redis/rueidis"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// Nothing that Classic says on a channel of broadcasts is anything else than the array
// that Node's servers take apart without looking.
func TestClassicConforms(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	heard, others := 0, 0
	stop := overhear(t, db, func(channel, message string) {
		if heard++; !strings.HasPrefix(channel, "socket.io#") {
			others++
		} else if !strings.HasPrefix(message, "\x93\xa6") {
			t.Errorf("%s: %q", channel, message)
		}
	})
	overRedis(t, redisadapter.Options{URL: db.URL})
	stop()
	if others == 0 || heard == others {
		t.Errorf("heard %d, %d of them no broadcasts", heard, others)
	}
}

func TestClassicConformsWithSpecificResponses(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	overRedis(t, redisadapter.Options{URL: db.URL, SpecificResponses: true})
}

func TestClassicConformsOverARedisCluster(t *testing.T) {
	t.Parallel()
	db := redistest.StartCluster(t, 2)
	overRedis(t, redisadapter.Options{URL: db[1].URL})
}

// overRedis runs the suite that is the same for every adapter.
func overRedis(t *testing.T, options redisadapter.Options) {
	clustertest.Run(t, func(t *testing.T, n int, o socketio.Options) (servers []*socketio.Server) {
		for range n {
			o.Adapter = join(t, options).Adapter
			servers = append(servers, socketio.New(o))
		}
		return servers
	})
}

// overhear calls fn for all that is published, in order, until stop has returned.
func overhear(t testing.TB, db *redistest.Server, fn func(channel, message string)) (stop func()) {
	t.Helper()
	o := rueidis.MustParseURL(db.URL)
	o.DisableCache = true
	c, err := rueidis.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	there, done := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(done)
		ctx := rueidis.WithOnSubscriptionHook(ctx, func(rueidis.PubSubSubscription) { close(there) })
		_ = c.Receive(ctx, c.B().Psubscribe().Pattern("*").Build(), func(m rueidis.PubSubMessage) { fn(m.Channel, m.Message) })
	}()
	<-there
	return func() { cancel(); <-done }
}

// A namespace is no pattern, whatever its name: what others say in another one does not
// even come.
func TestNamespacesAreNoPatterns(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	f := join(t, redisadapter.Options{URL: db.URL})
	io := socketiotest.NewServer(t, socketio.Options{Adapter: f.Adapter, Logger: slog.New(slog.DiscardHandler)})
	body := func(nsp string) string {
		b, err := redisadapter.ClassicBody(&cluster.Message{Type: cluster.Broadcast, UID: "others", Packet: jsonPacket(`["x"]`)}, nsp)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, name := range []string{`/n*`, `/n?`, `/[abc]`, `/[^x]`, `/n\`, `/n\*`, `/]`, `/ü #*`} {
		io.Of(name)
		client := io.Connect().Of(name, nil)
		settle(t, f)
		before := f.Stats().Received
		for _, other := range []string{"/nx", "/na", "/a", "/b", "/n", "/n*x"} {
			db.Command("PUBLISH", "socket.io#"+other+"#", body(other))
		}
		db.Command("PUBLISH", "socket.io#"+name+"#", body(name))
		client.Expect("x")
		if n := f.Stats().Received - before; n != 1 {
			t.Errorf("%s: %d messages came", name, n)
		}
	}
}

func TestNamespacesThatComeAndGo(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	f := join(t, redisadapter.Options{URL: db.URL})
	io := socketiotest.NewServer(t, socketio.Options{Adapter: f.Adapter, CleanupEmptyChildNamespaces: true, Logger: slog.New(slog.DiscardHandler)})
	io.OfPattern(regexp.MustCompile(`^/dynamic`))
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for j := range 10 {
				c := io.Connect().Of(fmt.Sprintf("/dynamic%d", (i+j)%7), nil)
				c.Disconnect()
			}
		})
	}
	wg.Wait()
	c := io.Connect().Of("/dynamic0", nil)
	eventually(t, "two namespaces", func() bool { return f.Stats().Subscriptions == 2*4 })
	settle(t, f)
	if got := db.Command("PUBSUB", "NUMPAT") + " " + fmt.Sprint(strings.Count(db.Command("PUBSUB", "CHANNELS"), "\n")+1); got != "2 6" {
		t.Errorf("subscriptions: %s", got)
	}
	if n, err := io.Of("/dynamic0").ServerCount(t.Context()); n != 1 || err != nil {
		t.Errorf("%d servers, %v", n, err)
	}
	db.Command("PUBLISH", "socket.io#/dynamic0#", "\x93\xa1x\x82\xa4type\x02\xa4data\x91\xa1y\x81\xa5rooms\x90")
	db.Command("PUBLISH", "socket.io#/dynamic0#", "\x93\xa1x\x83\xa4type\x02\xa4data\x91\xa1z\xa3nsp\xa9/dynamic0\x81\xa5rooms\x90")
	c.Expect("z") // the other one is for the main namespace
}

// Servers of before 2021 ask for sockets one by one.
func TestClassicAnswersOldServers(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	f := join(t, redisadapter.Options{URL: db.URL})
	io := socketiotest.NewServer(t, socketio.Options{Adapter: f.Adapter, Logger: slog.New(slog.DiscardHandler)})
	client := io.Connect()
	settle(t, f)
	answers := make(chan string, 10)
	stop := overhear(t, db, func(channel, message string) {
		if channel == "socket.io-response#/#" {
			answers <- message
		}
	})
	defer stop()
	id := client.ID()
	for _, c := range []struct{ ask, want string }{
		{`{"requestId":"r1","type":2,"sid":"` + id + `","room":"old","uid":"u"}`, `{"requestId":"r1"}`},
		{`{"uid":"u","requestId":"r2","type":0,"rooms":["old","x"]}`, `{"requestId":"r2","sockets":["` + id + `"]}`},
		{`{"uid":"u","requestId":"r3","type":0,"rooms":["x"]}`, `{"requestId":"r3","sockets":[]}`},
		{`{"uid":"u","requestId":"r4","type":1}`, ""},
		{`{"requestId":"r5","type":3,"sid":"` + id + `","room":"old"}`, `{"requestId":"r5"}`},
		{`{"uid":"u","requestId":"r6","type":0,"rooms":["old"]}`, `{"requestId":"r6","sockets":[]}`},
		{`{"requestId":"r7","type":4,"sid":"` + id + `","close":true}`, `{"requestId":"r7"}`},
	} {
		db.Command("PUBLISH", "socket.io-request#/#", `{"requestId":"r0","type":2,"sid":"nobody","room":"a"}`) // is somebody else's
		db.Command("PUBLISH", "socket.io-request#/#", c.ask)
		got := <-answers
		if c.want == "" {
			if got != `{"requestId":"r4","rooms":["`+id+`","old"]}` && got != `{"requestId":"r4","rooms":["old","`+id+`"]}` {
				t.Errorf("%s: %s", c.ask, got)
			}
		} else if got != c.want {
			t.Errorf("%s: %s", c.ask, got)
		}
	}
	client.Disconnected()
}

// Publishing costs one allocation, of the message itself, and one more for the name of a
// channel with a room in it.
func TestAllocationsOfClassic(t *testing.T) {
	m := &cluster.Message{Type: cluster.Broadcast, UID: "LbrptE", Packet: jsonPacket(`["news","hi",1,{"a":true,"b":null,"f":1.5},`+placeholder+`]`, make([]byte, 1000))}
	if n := testing.AllocsPerRun(200, func() {
		if _, err := redisadapter.ClassicBody(m, "/"); err != nil {
			t.Error(err)
		}
	}); n > 1 && !raceDetector {
		t.Errorf("%v allocations", n)
	}
}
