package redisadapter

import (
	"errors"
	"log/slog"
	"time"

	"github.com/redis/rueidis"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// Mode is how servers talk through Redis. All those of a cluster use the same one.
type Mode uint8

// The modes, each of which is one of Node's adapters.
const (
	// Classic is createAdapter of @socket.io/redis-adapter: PUBLISH, to everybody.
	// Any Redis will do.
	Classic Mode = iota
	// Sharded is createShardedAdapter of @socket.io/redis-adapter: SPUBLISH, with
	// channels for rooms. Redis 7. All channels go through one server: a Redis Cluster
	// of several masters is not supported with it, and Ready says so.
	Sharded
	// Streams is createAdapter of @socket.io/redis-streams-adapter: a stream that
	// survives what cuts off a server for a while. Redis 5.
	Streams
)

// Options configure a Fleet. The zero value of each field means its default.
type Options struct {
	// Client is used and not closed by the Fleet. It takes a few of its connections for
	// itself, as with Client.Dedicate.
	Client rueidis.Client
	// ClientOption makes a client of the Fleet's own, where Client is nil.
	ClientOption rueidis.ClientOption
	// URL makes a client of the Fleet's own, where the two are not there:
	// redis://user:password@host:6379/0, rediss:// for TLS, unix:///path; see
	// rueidis.ParseURL. Default: redis://localhost:6379.
	URL string
	// Mode is that of the whole cluster; default Classic.
	Mode Mode
	// Prefix of the names of channels; default "socket.io". Node: key, channelPrefix.
	Prefix string
	// Cluster bounds requests, and more that does not depend on the broker.
	Cluster cluster.Options
	// Outbox bounds what waits to be sent.
	Outbox cluster.OutboxOptions
	// MaxMessage is the size of the largest message of another server that is looked
	// at; default 64 MiB.
	MaxMessage int
	// MaxDepth is how deep arrays and objects in it may be nested; default 512, which is
	// also the most.
	MaxDepth int
	// DeadAfter is how long Redis may be silent on the connection that receives, which
	// is asked for a sign of life four times as often; default 4 s. Then it is given up
	// for another one.
	DeadAfter time.Duration
	// Pause before a lost connection is tried again; default 100 ms, and up to ten
	// times as long when that fails.
	Pause time.Duration
	// SpecificResponses sends answers to the server that has asked, rather than to all
	// of them. It is for Classic; either way is understood by everybody. Node:
	// publishOnSpecificResponseChannel.
	SpecificResponses bool
	// Sharded is for Mode Sharded.
	Sharded ShardedOptions
	// Streams is for Mode Streams.
	Streams StreamsOptions
}

// withDefaults also checks what can be checked.
func (o Options) withDefaults() (Options, error) {
	if o.Mode > Streams {
		return o, errors.New("redisadapter: unknown Mode")
	}
	if o.Prefix == "" {
		o.Prefix = "socket.io"
	}
	if o.MaxMessage <= 0 {
		o.MaxMessage = 64 << 20
	}
	if o.MaxDepth <= 0 || o.MaxDepth > maxDepth {
		o.MaxDepth = maxDepth
	}
	if o.DeadAfter <= 0 {
		o.DeadAfter = 4 * time.Second
	}
	if o.Pause <= 0 {
		o.Pause = 100 * time.Millisecond
	}
	if o.Cluster.Logger == nil {
		o.Cluster.Logger = slog.Default()
	}
	if o.Sharded.Subscriptions > Static {
		return o, errors.New("redisadapter: unknown Subscriptions")
	}
	o.Streams = o.Streams.withDefaults()
	if o.Streams.Tail.Logger == nil {
		o.Streams.Tail.Logger = o.Cluster.Logger
	}
	if o.Cluster.Pulse == nil {
		o.Cluster.Pulse = new(cluster.Pulse)
	}
	return o, nil
}

const maxDepth = 512

// errURL does not say what is wrong, since that would show parts of a password.
var errURL = errors.New("redisadapter: Options.URL is not the URL of a Redis (it is not shown, as there may be a password in it)")

// clientOption is for a client of the Fleet's own.
func (o *Options) clientOption() (rueidis.ClientOption, error) {
	option := o.ClientOption
	if len(option.InitAddress) == 0 {
		url := o.URL
		if url == "" {
			url = "redis://localhost:6379"
		}
		parsed, err := rueidis.ParseURL(url)
		if err != nil {
			return option, errURL
		}
		option = parsed
	}
	option.DisableCache = true // nothing is read twice, and a Redis 5 cannot
	return option, nil
}
