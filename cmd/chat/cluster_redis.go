package main

import (
	"fmt"
	"log/slog"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
)

type redisFleet struct{ *redisadapter.Fleet }

func openRedis(c *config.Cluster, log *slog.Logger) (fleet, error) {
	modes := map[string]redisadapter.Mode{"classic": redisadapter.Classic, "sharded": redisadapter.Sharded, "streams": redisadapter.Streams}
	f, err := redisadapter.New(redisadapter.Options{
		URL: c.Cluster, Mode: modes[c.ClusterRedis], Prefix: c.ClusterName, Cluster: cluster.Options{Logger: log},
	})
	if err != nil {
		return nil, fmt.Errorf("--cluster: %w", err)
	}
	return redisFleet{f}, nil
}
