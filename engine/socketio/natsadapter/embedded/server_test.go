package embedded_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server.(*Server).StartRouting")) // see Start
}

// said is a log that can be looked at while it is written.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func start(t *testing.T, o embedded.Options) *embedded.Server {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := embedded.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func TestAServerAloneHasNoPort(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{})
	if s.Addr() != "" || s.ClusterAddr() != "" || s.Ready() != nil || s.Name() == "" {
		t.Errorf("%q, %q, %v", s.Addr(), s.ClusterAddr(), s.Ready())
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if nc.MaxPayload() != 1<<20 {
		t.Errorf("payload %d", nc.MaxPayload())
	}
}

func TestClientsAtAPortShowAToken(t *testing.T) {
	t.Parallel()
	s := start(t, embedded.Options{Listen: "127.0.0.1:0", Token: "secret token"})
	if nc, err := nats.Connect(s.Addr()); err == nil {
		nc.Close()
		t.Error("anybody is let in")
	}
	if nc, err := nats.Connect(s.Addr(), nats.Token("another")); err == nil {
		nc.Close()
		t.Error("any token will do")
	}
	nc, err := nats.Connect(s.Addr(), nats.Token("secret token"))
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	in, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
}

// Servers find each other through one; those that do not know the password stay out; and no
// secret is in what they log.
func TestServersFormAClusterOfThoseWhoKnowThePassword(t *testing.T) {
	t.Parallel()
	log := new(said)
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o := embedded.Options{ClusterListen: "127.0.0.1:0", Username: "user", Password: "hush-hush", Logger: logger}
	first := start(t, o)
	o.Seeds = []string{first.ClusterAddr()}
	others := []*embedded.Server{start(t, o), start(t, o)}
	for _, s := range append(others, first) {
		eventually(t, "three servers", func() bool { return s.Routes() == 2 && s.Ready() == nil })
	}
	for _, wrong := range []embedded.Options{
		{Username: "user", Password: "guess"}, {}, {ClusterName: "another", Username: "user", Password: "hush-hush"},
	} {
		wrong.Seeds, wrong.Logger = o.Seeds, logger
		s := start(t, wrong)
		eventually(t, "it is refused", func() bool {
			l := log.String()
			return strings.Contains(l, "Authorization") || strings.Contains(l, "authentication error") || strings.Contains(l, "luster name")
		})
		if s.Routes() != 0 || s.Ready() == nil || first.Routes() != 2 {
			t.Errorf("%+v is let in: %v", wrong.ClusterName, s.Ready())
		}
	}
	if l := log.String(); strings.Contains(l, "hush") || strings.Contains(l, "guess") {
		t.Errorf("the log tells the password:\n%s", l)
	}
}

func TestWhatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for want, o := range map[string]embedded.Options{
		"address already in use": {ClusterListen: taken.Addr().String(), ReadyTimeout: time.Second},
		"no address":             {ClusterListen: "nowhere"},
		"go together":            {Username: "user"},
		"needs a Token":          {Listen: "127.0.0.1:0"},
		"needs a Name":           {JetStream: &embedded.JetStreamOptions{StoreDir: t.TempDir()}},
		"needs a StoreDir":       {Name: "n", JetStream: &embedded.JetStreamOptions{}},
		"needs Seeds":            {Name: "n", ClusterListen: "127.0.0.1:0", JetStream: &embedded.JetStreamOptions{StoreDir: t.TempDir()}},
		"MaxPayload":             {MaxPayload: 1},
	} {
		o.Logger = slog.New(slog.DiscardHandler)
		s, err := embedded.Start(o)
		if err == nil {
			_ = s.Shutdown(context.Background())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
