package redisadapter_test

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// patience is how long tests wait for what should come at once.
const patience = 20 * time.Second

// join makes a fleet for a server.
func join(t testing.TB, options redisadapter.Options) *redisadapter.Fleet {
	t.Helper()
	options.Cluster.Logger = slog.New(slog.DiscardHandler)
	f, err := redisadapter.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// serve makes a server of the fleet, which is ready.
func serve(t testing.TB, f *redisadapter.Fleet) *socketio.Server {
	t.Helper()
	io := socketio.New(socketio.Options{Adapter: f.Adapter, Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { _ = io.Shutdown(context.Background()) })
	settle(t, f)
	return io
}

func settle(t testing.TB, fleets ...*redisadapter.Fleet) {
	t.Helper()
	for _, f := range fleets {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := f.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
}

func deadline(t testing.TB, after time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(t.Context(), after)
}

// eventually waits for what others do.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came: " + what)
		}
	}
}

func TestServersAreCounted(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{Password: "se#cret"})
	url := strings.Replace(db.URL, "#", "%23", 1)
	a := join(t, redisadapter.Options{URL: url})
	io := serve(t, a)
	const requests = "socket.io-request#/#"
	if got := db.Command("PUBSUB", "NUMSUB", requests); got != requests+"\n1" {
		t.Error(got)
	}
	b := join(t, redisadapter.Options{URL: url})
	other := serve(t, b)
	if n, err := io.Of("/").ServerCount(t.Context()); n != 2 || err != nil {
		t.Errorf("%d servers, %v", n, err)
	}
	if got := db.Command("PUBSUB", "NUMSUB", requests); got != requests+"\n2" {
		t.Error(got)
	}
	if err := errors.Join(a.Ready(), b.Ready()); err != nil {
		t.Error(err)
	}
	_ = other.Shutdown(t.Context())
	eventually(t, "one server", func() bool {
		n, err := io.Of("/").ServerCount(t.Context())
		return n == 1 && err == nil
	})
	if got := db.Command("PUBSUB", "NUMPAT"); got != "1" {
		t.Errorf("%s patterns", got)
	}
}

func TestGapsAreKnown(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	f := join(t, redisadapter.Options{URL: db.URL})
	serve(t, f)
	before := time.Now()
	db.Command("CLIENT", "KILL", "TYPE", "PUBSUB")
	eventually(t, "a gap", func() bool { return f.Stats().Gaps == 1 })
	eventually(t, "a connection", func() bool { return f.Ready() == nil })
	s := f.Stats()
	if s.Down <= 0 || !s.LastGap.To.After(before) || s.LastGap.From.After(s.LastGap.To) {
		t.Errorf("%+v", s)
	}

	db.Kill()
	eventually(t, "nothing", func() bool { return f.Ready() != nil })
	down := f.Stats().Down
	eventually(t, "it grows", func() bool { return f.Stats().Down > down })
	db.Start()
	eventually(t, "a connection", func() bool { return f.Ready() == nil })
	if n := f.Stats().Gaps; n != 2 {
		t.Errorf("%d gaps", n)
	}
	if got := db.Command("PUBSUB", "NUMPAT"); got != "1" {
		t.Errorf("%s patterns", got)
	}
}

func TestWhatIsWrongWithOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []redisadapter.Options{
		{Mode: 7},
		{URL: "redis://user:geheim@host:port"},
		{URL: "http://user:geheim@host"},
		{URL: "redis://user:geheim@host/x"},
	} {
		_, err := redisadapter.New(o)
		if err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%+v: %v", o.Mode, err)
		}
	}
}

// Without Redis a server works for itself, and says so.
func TestWithoutRedis(t *testing.T) {
	t.Parallel()
	f := join(t, redisadapter.Options{URL: "redis://:geheim@127.0.0.1:1", Cluster: cluster.Options{RequestTimeout: time.Second}})
	socketio.New(socketio.Options{Adapter: f.Adapter})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := f.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	eventually(t, "a reason", func() bool {
		err := f.Ready()
		return err != nil && strings.Contains(err.Error(), "refused") && !strings.Contains(err.Error(), "geheim")
	})
	if n := f.Stats().Gaps; n != 0 {
		t.Errorf("%d gaps, though there was nothing before", n)
	}
}

// A Redis that says nothing does not keep a Fleet from being closed.
func TestCloseDoesNotWaitForRedis(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	proxy := redistest.NewProxy(t, db.Addr)
	for _, early := range []bool{true, false} { // held before anything was said, and after
		if proxy.Forward(); early {
			proxy.Hold()
		}
		f, err := redisadapter.New(redisadapter.Options{URL: "redis://" + proxy.Addr})
		if err != nil {
			t.Fatal(err)
		}
		io := socketio.New(socketio.Options{Adapter: f.Adapter, Logger: slog.New(slog.DiscardHandler)})
		if !early {
			settle(t, f)
			proxy.Hold()
		}
		_ = io.Emit("x")
		_ = io.Shutdown(t.Context())
		began := time.Now()
		if err := f.Close(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("early %v: %v", early, err)
		}
		if d := time.Since(began); d > 4*time.Second {
			t.Errorf("early %v: closed after %v", early, d)
		}
	}
}

// A server joins the others through Redis; see docs/clusters.md for more.
func ExampleNew() {
	fleet, err := redisadapter.New(redisadapter.Options{URL: "redis://localhost:6379"})
	if err != nil {
		log.Fatal(err)
	}
	io := socketio.New(socketio.Options{Adapter: fleet.Adapter})
	io.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		return io.To("lobby").Emit("joined", s.ID()) // on all servers
	})
	if err := io.ListenAndServe(context.Background(), ":3000"); err != nil {
		log.Print(err)
	}
	_ = fleet.Close()
}
