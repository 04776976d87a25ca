package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
)

// What tells a server with whom it is one.
const (
	clusterVariable = "FANFARE_BENCH_SCALE_CLUSTER" // as --cluster
	seedVariable    = "FANFARE_BENCH_SCALE_SEED"    // where another server's NATS is
)

// embeddedCluster is the --cluster of servers that need no broker.
const embeddedCluster = "embedded"

// fleet is what makes one of several servers.
type fleet struct {
	adapter func(*socketio.MemoryAdapter) socketio.Adapter // nil for a server that is alone
	addr    string                                         // where other servers find this one, if they have to
	bytes   func() uint64                                  // sent to the broker, or to other servers
	close   func() error
}

// joinFleet connects this server as the environment says.
func joinFleet(ctx context.Context, log *slog.Logger) (*fleet, error) {
	switch where := os.Getenv(clusterVariable); {
	case where == "":
		return &fleet{bytes: func() uint64 { return 0 }, close: func() error { return nil }}, nil
	case where == embeddedCluster:
		return joinEmbedded(ctx, log)
	case strings.HasPrefix(where, "redis"):
		return joinRedis(where, log)
	default:
		return nil, fmt.Errorf("--cluster %s: it can be %s or the URL of a Redis", where, embeddedCluster)
	}
}

func joinEmbedded(ctx context.Context, log *slog.Logger) (*fleet, error) {
	o := embedded.Options{ClusterListen: "127.0.0.1:0", Logger: log}
	if seed := os.Getenv(seedVariable); seed != "" {
		o.Seeds = []string{seed}
	}
	broker, err := embedded.Start(o)
	if err != nil {
		return nil, err
	}
	n, err := natsadapter.Connect(ctx, natsadapter.Options{InProcess: broker, Logger: log})
	if err != nil {
		return nil, errors.Join(err, broker.Shutdown(ctx))
	}
	return &fleet{
		adapter: n.Adapter, addr: broker.ClusterAddr(), bytes: broker.RouteBytes,
		close: func() error { return errors.Join(n.Close(), broker.Shutdown(context.Background())) },
	}, nil
}

func joinRedis(url string, log *slog.Logger) (*fleet, error) {
	f, err := redisadapter.New(redisadapter.Options{URL: url, Cluster: cluster.Options{Logger: log}})
	if err != nil {
		return nil, err
	}
	return &fleet{adapter: f.Adapter, bytes: func() uint64 { return f.Stats().Outbox.SentBytes }, close: f.Close}, nil
}

// gather returns when so many servers know each other.
func gather(server *socketio.Server, n int, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		have, err := server.Of("/").ServerCount(ctx)
		if err == nil && have >= n {
			tick.Stop()
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d servers know each other after %v", have, n, patience)
		case <-tick.C:
		}
	}
}

// clusterVariables are for the servers: the first is where the others find it.
func (s *scene) clusterVariables(seed string) []string {
	return []string{pingVariable + "=" + s.o.PingInterval.String(), clusterVariable + "=" + s.o.Cluster, seedVariable + "=" + seed}
}

// gather waits until the servers are one.
func (s *scene) gather() error {
	if s.o.Cluster == "" {
		return nil
	}
	begin := time.Now()
	_, err := each(s.servers, func(int) order { return order{Op: "gather", N: len(s.servers), Patience: s.o.Patience} })
	if err == nil {
		s.say("%d servers know each other after %v", len(s.servers), time.Since(begin).Round(time.Millisecond))
	}
	return err
}

// ahead is how long before a broadcast everybody is told of it.
const ahead = 100 * time.Millisecond

// roundOfAll has one client broadcast to the connections of all.
func (s *scene) roundOfAll(round int, o order) error {
	o.At = time.Now().Add(ahead).UnixNano()
	_, err := each(s.clients, func(i int) order {
		o := o
		o.Others = i != round%len(s.clients)
		return o
	})
	return err
}

// brokerBytes is what the servers have sent to each other so far.
func (s *scene) brokerBytes() (sum uint64, err error) {
	if s.o.Cluster == "" {
		return 0, nil
	}
	answers, err := each(s.servers, func(int) order { return order{Op: "bytes"} })
	for _, a := range answers {
		sum += a.Bytes
	}
	return sum, err
}
