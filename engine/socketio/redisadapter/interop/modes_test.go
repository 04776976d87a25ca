package interop_test

// mode is a way over Redis, as both sides are told of it.
type mode struct {
	name    string
	adapter string         // Node's
	library string         // by which Node's servers speak to Redis
	node    map[string]any // further options of Node's adapter
	dynamic bool           // rooms have channels of their own
}

// modes are those that every case is run in.
var modes = []*mode{
	{name: "classic", adapter: "classic", library: "ioredis"},
	{name: "sharded", adapter: "sharded", library: "ioredis", dynamic: true},
	{name: "streams", adapter: "streams", library: "ioredis"},
}

// variants are the same with other options. They are left out where tests are to be short.
var variants = []*mode{
	{name: "classic, answers on channels of their own", adapter: "classic", library: "redis", node: map[string]any{"publishOnSpecificResponseChannel": true}},
	{name: "sharded, static", adapter: "sharded", library: "redis", node: map[string]any{"subscriptionMode": "static"}},
	{name: "sharded, dynamic-private", adapter: "sharded", library: "ioredis", node: map[string]any{"subscriptionMode": "dynamic-private"}, dynamic: true},
	{name: "streams, four with sharded pub/sub", adapter: "streams", library: "redis", node: map[string]any{"streamCount": 4, "useShardedPubSub": true}},
}
