package redisadapter_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// long is for tests that others are enough for in a hurry.
func long(t *testing.T) {
	if testing.Short() {
		t.Skip("another Mode is enough")
	}
}

// conforms runs the suite that is the same for every adapter.
func conforms(t *testing.T, options redisadapter.Options, recovery *socketio.Recovery) {
	t.Parallel()
	conformsOver(t, redistest.Start(t, redistest.Options{}).URL, options, recovery)
}

func conformsOver(t *testing.T, url string, options redisadapter.Options, recovery *socketio.Recovery) {
	t.Helper()
	options.URL = url
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

func TestShardedConformsOverARedisCluster(t *testing.T) {
	long(t)
	t.Parallel()
	url := redistest.StartCluster(t, 1)[0].URL
	conformsOver(t, url, redisadapter.Options{Mode: redisadapter.Sharded}, nil)
}

func TestStreamsConformOverARedisCluster(t *testing.T) {
	t.Parallel()
	url := redistest.StartCluster(t, 2)[1].URL
	o := redisadapter.StreamsOptions{Count: 3}
	conformsOver(t, url, redisadapter.Options{Mode: redisadapter.Streams, Streams: o}, &socketio.Recovery{})
}

func TestShardedConformsWithAChannelForEverySocket(t *testing.T) {
	conforms(t, redisadapter.Options{Mode: redisadapter.Sharded, Sharded: redisadapter.ShardedOptions{Subscriptions: redisadapter.DynamicPrivate}}, nil)
}

func TestShardedConformsWithoutChannelsOfRooms(t *testing.T) {
	long(t)
	conforms(t, redisadapter.Options{Mode: redisadapter.Sharded, Sharded: redisadapter.ShardedOptions{Subscriptions: redisadapter.Static}}, nil)
}

func TestStreamsConform(t *testing.T) {
	conforms(t, redisadapter.Options{Mode: redisadapter.Streams}, nil)
}

func TestStreamsConformWhereThereAreSeveral(t *testing.T) {
	long(t)
	conforms(t, redisadapter.Options{Mode: redisadapter.Streams, Streams: redisadapter.StreamsOptions{Count: 3, ShardedPubSub: true}}, nil)
}

func TestStreamsConformWithRecovery(t *testing.T) {
	conforms(t, redisadapter.Options{Mode: redisadapter.Streams}, &socketio.Recovery{})
}

func TestStreamsConformWithRecoveryWhereThereAreSeveral(t *testing.T) {
	long(t)
	conforms(t, redisadapter.Options{Mode: redisadapter.Streams, Streams: redisadapter.StreamsOptions{Count: 3, Strict: true}}, &socketio.Recovery{})
}
