package interop_test

import (
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
)

// mode is a way over Redis, as both sides are told of it.
type mode struct {
	name    string
	adapter string         // Node's
	library string         // by which Node's servers speak to Redis
	node    map[string]any // further options of Node's adapter
	ours    redisadapter.Options
	dynamic bool // rooms have channels of their own
}

var streams = &mode{name: "streams", adapter: "streams", library: "ioredis", ours: redisadapter.Options{Mode: redisadapter.Streams}}

// modes are those that every case is run in.
var modes = []*mode{
	{name: "classic", adapter: "classic", library: "ioredis", ours: redisadapter.Options{Mode: redisadapter.Classic}},
	{name: "sharded", adapter: "sharded", library: "ioredis", ours: redisadapter.Options{Mode: redisadapter.Sharded}, dynamic: true},
	streams,
}

// variants are the same with other options. They are left out where tests are to be short.
var variants = []*mode{
	{
		name: "classic, answers on channels of their own", adapter: "classic", library: "redis", node: map[string]any{"publishOnSpecificResponseChannel": true},
		ours: redisadapter.Options{Mode: redisadapter.Classic, SpecificResponses: true},
	},
	{
		name: "sharded, static", adapter: "sharded", library: "redis", node: map[string]any{"subscriptionMode": "static"},
		ours: redisadapter.Options{Mode: redisadapter.Sharded, Sharded: redisadapter.ShardedOptions{Subscriptions: redisadapter.Static}},
	},
	{
		name: "sharded, dynamic-private", adapter: "sharded", library: "ioredis", node: map[string]any{"subscriptionMode": "dynamic-private"}, dynamic: true,
		ours: redisadapter.Options{Mode: redisadapter.Sharded, Sharded: redisadapter.ShardedOptions{Subscriptions: redisadapter.DynamicPrivate}},
	},
	{
		name: "streams, four with sharded pub/sub", adapter: "streams", library: "redis", node: map[string]any{"streamCount": 4, "useShardedPubSub": true},
		ours: redisadapter.Options{Mode: redisadapter.Streams, Streams: redisadapter.StreamsOptions{Count: 4, ShardedPubSub: true}},
	},
}
