package natsadapter

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// Options configure a Node. The zero value of each field means its default.
type Options struct {
	// URLs are servers of NATS to connect to, such as nats://10.0.0.1:4222; any of a
	// cluster's will do. User and password, or a token, may stand in them; they are never
	// logged. Default: nats://127.0.0.1:4222, unless Conn or InProcess is set.
	URLs []string
	// InProcess is a server of NATS in this process: package embedded has one.
	InProcess nats.InProcessConnProvider
	// Conn is a connection that exists. It stays open when the Node is closed, should have
	// been made with nats.ReconnectBufSize(-1), so that what cannot be sent is queued here
	// in order, and with nats.MaxReconnects(-1). Its handlers are left alone.
	Conn *nats.Conn
	// Credentials is a file with the JWT and the seed of a user of NATS.
	Credentials string
	// Username and Password, or Token, where they are not in URLs.
	Username, Password, Token string
	// TLS secures the connection. Default: as the URLs and the server want it.
	TLS *tls.Config

	// Name is what this server is called in Stats and in the answers to server-side
	// events of others; default: its UID.
	Name string
	// Cluster sets those apart that share a NATS: servers hear those of the same name;
	// default "fanfare".
	Cluster string
	// Subjects is how broadcasts to rooms travel, the same on all servers; default Hashed.
	Subjects Subjects
	// Shards is how many subjects Hashed has for each namespace, the same on all servers;
	// default 1024, at most 65,536.
	Shards int

	// HeartbeatInterval is how often a server says at least that it is there; default 5 s.
	// Node: heartbeatInterval.
	HeartbeatInterval time.Duration
	// HeartbeatTimeout is how long a server may be silent before nobody waits for its
	// answers any more; default 10 s. Node: heartbeatTimeout.
	HeartbeatTimeout time.Duration
	// MaxPeers is how many other servers are listened to; default 1024.
	MaxPeers int

	// WindowMessages and WindowBytes bound what is under way to the other servers and not
	// known to have come, shared evenly among those: beyond it, messages wait in the
	// Outbox, since NATS drops without a word what a connection cannot take. Default
	// 16,384 messages and 32 MiB.
	WindowMessages, WindowBytes int
	// Outbox bounds what waits to be sent; see cluster.OutboxOptions.
	Outbox cluster.OutboxOptions
	// Inbox is how many messages may wait to be looked at; default 32,768. Beyond it NATS
	// drops, which is counted.
	Inbox int
	// MaxMessage is the longest message, in bytes, sent or received, default 16 MiB. What
	// is longer than NATS allows (max_payload, 1 MiB) is sent in parts.
	MaxMessage int
	// MaxLanes is how many subjects are counted on, in each direction; default 65,536.
	// It matters with PerRoom only: beyond it, what is lost on further ones is not known.
	MaxLanes int
	// Linger is how long a subject of rooms is listened to after the last socket has left;
	// default 5 s.
	Linger time.Duration

	// JetStream keeps events, for recovery on any server; experimental: see the page on
	// clusters for what is not reliable yet. Default: nothing is kept, and
	// clients are recovered on the server that they were connected with. All servers of a
	// cluster need the same.
	JetStream *JetStreamOptions

	// Adapter is about requests: how long answers are waited for, and how many at once.
	Adapter cluster.Options
	// Logger gets what an operator should know; default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	setDefault(&o.Cluster, "fanfare")
	setDefault(&o.Shards, 1024)
	setDefault(&o.HeartbeatInterval, 5*time.Second)
	setDefault(&o.HeartbeatTimeout, 2*o.HeartbeatInterval)
	setDefault(&o.MaxPeers, 1024)
	setDefault(&o.WindowMessages, 16_384)
	setDefault(&o.WindowBytes, 32<<20)
	setDefault(&o.Inbox, 32_768)
	setDefault(&o.MaxMessage, 16<<20)
	setDefault(&o.MaxLanes, 65_536)
	setDefault(&o.Linger, 5*time.Second)
	setDefault(&o.Logger, slog.Default())
	setDefault(&o.Adapter.Logger, o.Logger)
	if o.Conn == nil && o.InProcess == nil && len(o.URLs) == 0 {
		o.URLs = []string{nats.DefaultURL}
	}
	switch {
	case o.Shards < 1 || o.Shards > 65_536:
		return o, fmt.Errorf("natsadapter: %d shards; there can be 1 to 65,536", o.Shards)
	case o.Subjects > PerRoom:
		return o, fmt.Errorf("natsadapter: Subjects %d is none", o.Subjects)
	case o.HeartbeatTimeout < o.HeartbeatInterval:
		return o, fmt.Errorf("natsadapter: a HeartbeatTimeout of %v is less than the interval of %v", o.HeartbeatTimeout, o.HeartbeatInterval)
	case len(o.Cluster) > maxToken:
		return o, fmt.Errorf("natsadapter: the name of a cluster has at most %d bytes", maxToken)
	}
	return o, nil
}

func setDefault[T comparable](field *T, otherwise T) {
	var zero T
	if *field == zero {
		*field = otherwise
	}
}

// dial connects as the options say.
func (n *Node) dial() (*nats.Conn, error) {
	o := &n.options
	how := []nats.Option{
		nats.Name("fanfare " + o.Name),
		nats.NoEcho(),
		nats.MaxReconnects(-1),
		nats.ReconnectBufSize(-1), // the Outbox keeps what cannot be sent, and its order
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, time.Second),
		nats.PingInterval(o.HeartbeatInterval),
		nats.MaxPingsOutstanding(2),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { n.disconnected(err) }),
		nats.ReconnectHandler(func(*nats.Conn) { n.reconnected() }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { n.failed(err) }),
	}
	if o.InProcess != nil {
		how = append(how, nats.InProcessServer(o.InProcess))
	}
	if o.Credentials != "" {
		how = append(how, nats.UserCredentials(o.Credentials))
	}
	if o.Username != "" || o.Password != "" {
		how = append(how, nats.UserInfo(o.Username, o.Password))
	}
	if o.Token != "" {
		how = append(how, nats.Token(o.Token))
	}
	if o.TLS != nil {
		how = append(how, nats.Secure(o.TLS))
	}
	nc, err := nats.Connect(strings.Join(o.URLs, ","), how...)
	if err != nil {
		return nil, fmt.Errorf("natsadapter: connecting: %w", err)
	}
	return nc, nil
}
