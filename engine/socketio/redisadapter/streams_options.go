package redisadapter

import (
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// StreamsOptions are those of Mode Streams. The zero value of each field means its
// default, which is Node's. Servers of one cluster have the same ones, but for ReadCount
// and BlockTime.
type StreamsOptions struct {
	// Name of the stream, or what the names of the streams begin with; default
	// "socket.io". Node: streamName.
	Name string
	// Count is how many streams there are, among which the namespaces are distributed by
	// their names: NAME-0, NAME-1, …; default 1, called NAME. Each costs a connection for
	// reading, and one for writing where a namespace needs it. Node: streamCount.
	Count int
	// Strict is for more than one stream. Node writes about half of all namespaces to
	// streams below zero, such as socket.io--3, that its own servers never read. Without
	// Strict this server writes there, too, where recovery looks for such a namespace on
	// Node's servers; with it, to the one that is read by all of them.
	// What others write to either is read in both cases.
	Strict bool
	// MaxLen is how many entries a stream keeps, approximately; default 10,000. A server
	// or client that is away for more of them has lost some. Node: maxLen.
	MaxLen int
	// ReadCount is how many entries are asked for at once; default 100. Node: readCount.
	ReadCount int
	// BlockTime is how long Redis waits for one before it says that there is none;
	// default 5 s. Node: blockTimeInMs.
	BlockTime time.Duration
	// SessionPrefix is what the keys of sockets that may come back begin with; default
	// "sio:session:". Node: sessionKeyPrefix.
	SessionPrefix string
	// ShardedPubSub sends requests and their answers with SPUBLISH; for a Redis Cluster.
	// Node: useShardedPubSub.
	ShardedPubSub bool
	// OnlyPlaintext says that arguments are never binary: events with such fail with
	// ErrBinary. Node: onlyPlaintext, which has clients get something else then.
	OnlyPlaintext bool
	// Tail is for connection state recovery, which is across all servers with this Mode;
	// MaxEvents is by default what MaxLen is.
	Tail cluster.TailOptions
}

func (o StreamsOptions) withDefaults() StreamsOptions {
	if o.Name == "" {
		o.Name = "socket.io"
	}
	if o.SessionPrefix == "" {
		o.SessionPrefix = "sio:session:"
	}
	o.Count = orDefault(o.Count, 1)
	o.MaxLen = orDefault(o.MaxLen, 10_000)
	o.ReadCount = orDefault(o.ReadCount, 100)
	o.Tail.MaxEvents = orDefault(o.Tail.MaxEvents, o.MaxLen)
	o.BlockTime = orDefault(o.BlockTime, 5*time.Second)
	return o
}

func orDefault[N int | time.Duration](v, otherwise N) N {
	if v <= 0 {
		return otherwise
	}
	return v
}
