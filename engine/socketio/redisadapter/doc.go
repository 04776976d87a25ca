// Package redisadapter connects servers through Redis, with the channels, streams and
// bytes of Node's @socket.io/redis-adapter 8 and @socket.io/redis-streams-adapter 0.3, so
// that Node's servers and these may be one cluster.
package redisadapter

import _ "github.com/redis/rueidis"
