package interop_test

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
	"github.com/redis/rueidis"
)

// store is a Redis of the test's own.
type store struct {
	url    string
	client rueidis.Client
	cmd    *exec.Cmd
}

func startStore(t *testing.T) *store {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		clienttest.Unavailable(t, "redis-server is not installed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	_ = l.Close()
	s := &store{url: "redis://" + address}
	s.cmd = exec.Command(program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir())
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	})
	eventually(t, func() (string, bool) {
		c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{address}, DisableCache: true})
		s.client = c
		return fmt.Sprint(err), err == nil
	})
	t.Cleanup(s.client.Close)
	return s
}

// shardSubscribers returns how many hear a channel of sharded pub/sub.
func (s *store) shardSubscribers(t testing.TB, channel string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := s.client.Do(ctx, s.client.B().PubsubShardnumsub().Channel(channel).Build()).ToArray()
	if err != nil || len(answer) != 2 {
		t.Fatalf("PUBSUB SHARDNUMSUB: %v, %d values", err, len(answer))
	}
	n, err := answer[1].AsInt64()
	if err != nil {
		t.Fatal(strconv.Quote(channel), err)
	}
	return int(n)
}
