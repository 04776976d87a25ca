// Package redisadapter connects servers through Redis, with the channels, streams and
// bytes of Node's @socket.io/redis-adapter 8 and @socket.io/redis-streams-adapter 0.3, so
// that Node's servers and these may be one cluster.
//
//	fleet, err := redisadapter.New(redisadapter.Options{URL: "redis://localhost:6379"})
//	…
//	io := socketio.New(socketio.Options{Adapter: fleet.Adapter})
//	…
//	io.Shutdown(ctx)
//	fleet.Close()
//
// Nothing that happens here waits for Redis. What is published is queued, and one
// goroutine sends it in order; what comes is read by another. While Redis cannot be
// reached [Fleet.Ready] says so, servers go on by themselves, and what was lost is in
// [Stats].
package redisadapter
