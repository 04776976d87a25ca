package embedded_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
)

// A server that is not there yet, or is started again, is nothing to warn of.
func TestAServerThatIsNotThereYetIsNoNews(t *testing.T) {
	t.Parallel()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	news, all := new(said), new(said)
	start(t, embedded.Options{ClusterListen: "127.0.0.1:0", Seeds: []string{nobody.Addr().String()}, Logger: logTo(news, all)})
	eventually(t, "an attempt", func() bool { return strings.Contains(all.String(), "connection refused") })
	if l := news.String(); l != "" {
		t.Errorf("it says %s", l)
	}
}

// A server with another password tries again and again, and is warned of once.
func TestAWrongPasswordIsSaidOnceAndWhatItMeans(t *testing.T) {
	t.Parallel()
	news, all := new(said), new(said)
	logger := logTo(news, all)
	first := start(t, embedded.Options{ClusterListen: "127.0.0.1:0", Username: "u", Password: "right", Logger: logger})
	start(t, embedded.Options{ClusterListen: "127.0.0.1:0", Username: "u", Password: "wrong", Seeds: []string{first.ClusterAddr()}})
	eventually(t, "it is refused more than once", func() bool { return strings.Count(all.String(), "authentication error") > 3 })
	l := news.String()
	if n := strings.Count(l, "\n"); n != 1 {
		t.Errorf("%d lines: %s", n, l)
	}
	if !strings.Contains(l, "has another password") {
		t.Errorf("it does not say what that means: %s", l)
	}
}

// logTo writes what is for operators to news, and that with the rest to all.
func logTo(news, all *said) *slog.Logger {
	return slog.New(slog.NewMultiHandler(slog.NewTextHandler(news, nil), slog.NewTextHandler(all, &slog.HandlerOptions{Level: slog.LevelDebug})))
}
