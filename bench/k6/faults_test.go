package k6

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// chat is a chat server with a fault.
type chat struct {
	options socketio.Options
	deaf    bool                           // acknowledges nothing
	refuses func(n int64) bool             // the nth client
	replies func(n int64, stop func()) int // how often the nth message comes back; nil: once
}

// serve runs it until the test ends, or until its fault stops it.
func (c *chat) serve(t *testing.T) (url string) {
	t.Helper()
	c.options.Logger = slog.New(slog.DiscardHandler)
	server := socketio.New(c.options)
	ctx, stop := context.WithCancel(context.Background())
	c.handle(server, stop)
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "http://" + server.Addr().String()
}

func (c *chat) handle(server *socketio.Server, stop func()) {
	var clients, messages atomic.Int64
	server.Use(func(context.Context, *socketio.Socket) error {
		if c.refuses != nil && c.refuses(clients.Add(1)) {
			return errors.New("not today")
		}
		return nil
	})
	answer := func(_ context.Context, _ *socketio.Socket, text string) (struct{}, error) {
		times := 1
		if n := messages.Add(1); c.replies != nil {
			times = c.replies(n, stop)
		}
		for range times {
			if err := server.Emit("reply", text); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	}
	if !c.deaf {
		socketio.OnAck(server, "chatMessage", answer)
		return
	}
	socketio.On(server, "chatMessage", func(ctx context.Context, s *socketio.Socket, text string) error {
		_, err := answer(ctx, s, text)
		return err
	})
}

// Each script passes against a server without a fault, which TestSmoke shows.
func TestScriptsFailAgainstFaultyServers(t *testing.T) {
	requireK6(t)
	drops := func(n int64, _ func()) int { return min(1, int(n%10)) }
	tests := []struct {
		name      string
		script    string
		server    chat
		variables []string
		crossed   []string // metrics whose thresholds must say so
	}{
		{
			"a message is lost", "fanout.js", chat{replies: drops},
			[]string{"DURATION=3s", "GRACE=2s"}, []string{"chat_deliveries", "chat_faults"},
		},
		{
			"a message is doubled", "steady-chat.js", chat{replies: func(n int64, _ func()) int { return 1 + int(n/7%2) }},
			[]string{"DURATION=3s"}, []string{"chat_faults"},
		},
		{
			"the server goes away", "steady-chat.js", chat{replies: func(n int64, stop func()) int {
				if n == 50 {
					stop()
				}
				return 1
			}},
			[]string{"DURATION=3s"}, []string{"chat_deliveries", "socketio_errors"},
		},
		{
			"replies are late", "fanout.js", chat{replies: func(int64, func()) int {
				time.Sleep(400 * time.Millisecond) // is the fault: nothing waits for it
				return 1
			}},
			[]string{"DURATION=3s", "EVERY=500ms", "P95=300", "P99=300"}, []string{"chat_delivery"},
		},
		{
			"a client is refused", "connect-storm.js", chat{refuses: func(n int64) bool { return n%10 == 0 }},
			[]string{"DURATION=3s"}, []string{"checks", "socketio_errors"},
		},
		{
			"nothing is acknowledged", "ack.js", chat{deaf: true},
			[]string{"DURATION=2s", "ACK_TIMEOUT=1s"}, []string{"checks", "socketio_errors"},
		},
		{
			"nobody is upgraded", "polling-upgrade.js", chat{options: socketio.Options{NoUpgrades: true}},
			[]string{"DURATION=3s"}, []string{"checks"},
		},
		{
			"a message over polling is lost", "polling-upgrade.js", chat{replies: drops},
			[]string{"DURATION=1s", "GRACE=1s"}, []string{"chat_faults", "checks"},
		},
		{
			"slow readers are dropped at once", "slow-readers.js", chat{options: socketio.Options{MaxHTTPBufferSize: 8 << 10, HighWaterMark: 8 << 10}},
			[]string{"DURATION=9s"}, []string{"chat_deliveries", "chat_faults", "socketio_errors"},
		},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			o := run(t, tt.script, tt.server.serve(t), tt.variables...)
			requireCrossed(t, o, tt.crossed)
		})
	}
}

// requireCrossed fails the test unless k6 says of each metric that it crossed its
// thresholds.
func requireCrossed(t *testing.T, o outcome, metrics []string) {
	t.Helper()
	if o.code != thresholdsFailed {
		t.Fatalf("exit code %d, want %d\n%s", o.code, thresholdsFailed, o.log)
	}
	_, crossed, _ := strings.Cut(o.log, "thresholds on metrics '")
	crossed, _, _ = strings.Cut(crossed, "'")
	for _, metric := range metrics {
		if !strings.Contains(", "+crossed+", ", ", "+metric+", ") {
			t.Errorf("thresholds of %q were crossed, not those of %s\n%s", crossed, metric, o.log)
		}
	}
}

func TestAServerThatIsNotThereIsNamed(t *testing.T) {
	requireK6(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	_ = l.Close() // nobody listens there now
	o := run(t, "ack.js", url)
	if want := "no Socket.IO server answers at " + url; o.code != scriptAborted || !strings.Contains(o.log, want) {
		t.Errorf("exit code %d, want %d and %q\n%s", o.code, scriptAborted, want, o.log)
	}
}

func TestAWrongVariableIsNamed(t *testing.T) {
	requireK6(t)
	for variable, want := range map[string]string{
		"VUS=many":          "VUS must be a number above 0, not many",
		"DURATION=30":       "DURATION must be a time like 500ms, 30s or 2m, not 30",
		"URL=localhost":     "URL must be like http://localhost:3000, not localhost",
		"TRANSPORT=pigeons": "TRANSPORT must be websocket, polling or upgrade, not pigeons",
	} {
		if o := run(t, "fanout.js", "http://localhost:1", variable); o.code != scriptException || !strings.Contains(o.log, want) {
			t.Errorf("%s: exit code %d, want %d and %q\n%s", variable, o.code, scriptException, want, o.log)
		}
	}
}
