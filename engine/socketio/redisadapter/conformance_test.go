package redisadapter_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// conforms runs the suite that is the same for every adapter.
func conforms(t *testing.T, options redisadapter.Options, recovery *socketio.Recovery) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	options.URL = db.URL
	clustertest.Run(t, func(t *testing.T, n int, o socketio.Options) (servers []*socketio.Server) {
		o.ConnectionStateRecovery = recovery
		for range n {
			o.Adapter = join(t, options).Adapter
			servers = append(servers, socketio.New(o))
		}
		return servers
	})
}

func TestShardedConforms(t *testing.T) {
	conforms(t, redisadapter.Options{Mode: redisadapter.Sharded}, nil)
}

func TestShardedConformsWithAChannelForEverySocket(t *testing.T) {
	conforms(t, redisadapter.Options{Mode: redisadapter.Sharded, Sharded: redisadapter.ShardedOptions{Subscriptions: redisadapter.DynamicPrivate}}, nil)
}

func TestShardedConformsWithoutChannelsOfRooms(t *testing.T) {
	conforms(t, redisadapter.Options{Mode: redisadapter.Sharded, Sharded: redisadapter.ShardedOptions{Subscriptions: redisadapter.Static}}, nil)
}

func TestStreamsConform(t *testing.T) {
	conforms(t, redisadapter.Options{Mode: redisadapter.Streams}, nil)
}

func TestStreamsConformWhereThereAreSeveral(t *testing.T) {
	conforms(t, redisadapter.Options{Mode: redisadapter.Streams, Streams: redisadapter.StreamsOptions{Count: 3, ShardedPubSub: true}}, nil)
}

func TestStreamsConformWithRecovery(t *testing.T) {
	conforms(t, redisadapter.Options{Mode: redisadapter.Streams}, &socketio.Recovery{})
}

func TestStreamsConformWithRecoveryWhereThereAreSeveral(t *testing.T) {
	conforms(t, redisadapter.Options{Mode: redisadapter.Streams, Streams: redisadapter.StreamsOptions{Count: 3, Strict: true}}, &socketio.Recovery{})
}
