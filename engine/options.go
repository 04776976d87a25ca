package engine

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"time"
)

// Options configure a Server. Zero values mean the defaults named beside them.
type Options struct {
	// Path is the path prefix of Engine.IO requests; default "/socket.io".
	// Requests for Path + "/", and for all below it, belong to the engine. Node: path.
	Path string
	// NoTrailingSlash makes Path without the slash the engine's, too, as for clients
	// with addTrailingSlash: false. Node: addTrailingSlash: false.
	NoTrailingSlash bool
	// Transports lists what clients may use; default Polling and WebSocket.
	// WebTransport takes somebody who brings its streams, too (Server.Dial). Node:
	// transports.
	Transports []Transport
	// NoUpgrades keeps polling sessions on polling. Node: allowUpgrades: false.
	NoUpgrades bool
	// PingInterval is the time between heartbeats; default 25 s. Node: pingInterval.
	PingInterval time.Duration
	// PingTimeout is how long a pong may take; default 20 s. Node: pingTimeout.
	PingTimeout time.Duration
	// UpgradeTimeout bounds the probe of a WebSocket upgrade; default 10 s. Node: upgradeTimeout.
	UpgradeTimeout time.Duration
	// ConnectTimeout closes a session that Established was not called for; default 45 s.
	// Node: connectTimeout.
	ConnectTimeout time.Duration
	// AllowEIO3 lets clients of revision 3 of the protocol in, which are those of
	// Socket.IO 2; default no. Node: allowEIO3.
	AllowEIO3 bool
	// MaxHTTPBufferSize bounds one message and one POST body, in bytes; default 1e6.
	// Node: maxHttpBufferSize.
	MaxHTTPBufferSize int64
	// CORS says which origins may use the server; zero means the same host only.
	CORS CORS
	// NoJSONP answers requests with a j parameter as if they had none. Otherwise they are
	// JSONP's, for browsers without XMLHttpRequest: unlike other polls, what they are
	// answered can be read by pages of any origin, in browsers too old to say so (others
	// get 403, unless CORS admits everybody). Node has no such option.
	NoJSONP bool
	// Cookie is set by a polling handshake; nil means none. Node: cookie.
	Cookie *Cookie
	// InitialPacket is the text of a message that follows the open packet of each
	// session; default none. Node: initialPacket.
	InitialPacket string
	// AllowRequest decides who may open a session, after everything but the protocol
	// version was found in order; nil means everybody. An error refuses: code 4, with the
	// Message of a *RequestError, if it is one, in place of "Forbidden". It runs off the
	// loops and may block; ctx, which is the request's, is done when nobody waits any more:
	// the peer is gone, the server stops, or ConnectTimeout is over. A panic refuses.
	// Node: allowRequest.
	AllowRequest func(ctx context.Context, r *http.Request) error
	// GenerateID names the session that a request opens, after AllowRequest: 1 to 64
	// letters, digits and "-._~", which nobody can guess and no living session has. An
	// error, a panic or another name refuses the request: code 3, and ID_GENERATION_ERROR
	// for OnConnectionError. It runs off the loops and may block. nil means 120 random
	// bits. Node: engine.generateId.
	GenerateID func(r *http.Request) (string, error)
	// MaxHooks is how many requests may be with middlewares, AllowRequest or GenerateID at
	// the same time; default 1,024.
	MaxHooks int
	// MaxParked is how many more may wait for that; default 4,096. What comes beyond is
	// answered 503 with a Retry-After.
	MaxParked int

	// TLS has the server speak https and wss on its port: the handshake, Certificates,
	// GetCertificate, client certificates and so on are crypto/tls's, and NextProtos is
	// http/1.1. Default: none. Its callbacks run on goroutines, several at a time; those
	// that look at a certificate should not take long. See CertificateFiles. Node:
	// https.createServer(options).
	TLS *tls.Config
	// TLSHandshakeTimeout bounds a TLS handshake, from the first byte on; default 10 s.
	TLSHandshakeTimeout time.Duration
	// MaxTLSHandshakes is how many may be in progress at a time, each at some 40 KB;
	// default 1,024. Four times as many may wait for a place. While somebody does,
	// handshakes whose clients have said nothing for a second lose theirs.
	MaxTLSHandshakes int
	// PerMessageDeflate compresses long messages over WebSocket; nil, the default, for
	// none. Node: perMessageDeflate.
	PerMessageDeflate *PerMessageDeflate
	// HTTPCompression compresses long answers of polling, unless it is Off. Node:
	// httpCompression.
	HTTPCompression HTTPCompression

	// NodeTag is what this server is called among those that share an address: 1 to 16
	// letters and digits, which no other one has. The ids of its sessions begin with it and
	// a dot, and so do those of GenerateID. Clients see it. Default: none.
	NodeTag string
	// Forward returns what serves the requests whose session id has the NodeTag of another
	// server: polls, posts and upgrades. That has them answered there, as they came, with
	// the address of the network's peer, and may hijack; see RefuseSession for when it cannot.
	// They count for RequestRatePerIP here, too. Where Forward knows nobody of that tag it
	// returns nil, and the session is unknown, as it is by default. It takes a NodeTag, and
	// is called on loops: it must not block.
	Forward func(tag string) http.Handler
	// Handler serves every request that is not Engine.IO's; nil answers 404. The
	// connection moves to a standard http.Server for it.
	Handler http.Handler
	// OwnPath reports paths below Path that belong to Handler all the same, such
	// as client files; nil means none. Called on the loop: it must not block.
	OwnPath func(path string) bool
	// Accept is told of each new session, on its loop, after the open packet was
	// queued, and returns what receives the session's messages. Required; it must
	// not block.
	Accept func(*Session) Receiver

	// Loops is the number of event loops; default GOMAXPROCS.
	Loops int
	// TurnWrites is how many writes of queued frames a loop does before it looks at
	// its connections and timers again, four times as many while nobody else says
	// anything: 128, the default, is about 1 ms. More makes others wait longer while a
	// broadcast goes out, and saves next to nothing.
	TurnWrites int
	// MaxTasks is how many sends, publishes, joins and the like may wait for one loop before
	// AwaitLoops waits; default 65,536, at 64 bytes each. Negative: it never does.
	MaxTasks int
	// MaxConnections bounds open connections; default the descriptor limit less a
	// reserve (a sixteenth, at least 32). More than that is lowered to it.
	MaxConnections int
	// AcceptRate is how many sessions may be opened per second, over all loops;
	// default any number. What comes beyond is answered 503 with a Retry-After, and
	// clients come back by themselves. Requests and upgrades of sessions that there
	// are already are never refused by it.
	AcceptRate int
	// AcceptBurst is how many may be opened at once after a quiet time; default
	// AcceptRate, one second's worth; 10 ms' worth at least.
	AcceptBurst int
	// TrustedProxies are the networks of proxies and balancers in front of the server.
	// What a connection from there says of its client is believed: in the header of the
	// PROXY protocol, where ProxyProtocol has one, and in the fields X-Forwarded-For,
	// Forwarded, X-Real-IP (see ClientHeader) and X-Forwarded-Proto of each request. The
	// client is then who requests and sessions come from, for everybody and for Limits;
	// the proxies themselves meet no limit per IP. What all others say of that kind is
	// ignored. Default: nobody. Node: trust proxy of frameworks.
	TrustedProxies []netip.Prefix
	// ClientHeader is the one field that says who the client is: X-Forwarded-For,
	// Forwarded (RFC 7239), or another one with a single address, such as X-Real-IP or
	// CF-Connecting-IP. Of the lists, the right-most address counts that is not a trusted
	// proxy's, because a client may have written what is left of it. Default: the first
	// of X-Forwarded-For, Forwarded and X-Real-IP that there is; name the field where
	// your proxy does not set or remove all three.
	ClientHeader string
	// ProxyProtocol says whether connections begin with a header of the PROXY protocol,
	// version 1 or 2, in front of TLS and everything else; default ProxyOff. It takes
	// TrustedProxies.
	ProxyProtocol ProxyProtocol
	// Limits bound what one peer or one client may do; the zero value bounds pings and
	// the time that a message may take.
	Limits Limits
	// OnLimited is told who met one of the Limits. Called on a loop, or by a request for
	// Handler: it must not block.
	// Default: none.
	OnLimited func(Limited)
	// HighWaterMark is how many bytes may wait for one slow client before SlowPolicy
	// applies; default 1 MiB, and at least MaxHTTPBufferSize.
	HighWaterMark int
	// MaxQueued is how many packets may wait for one slow client; default 16,384.
	MaxQueued int
	// SlowPolicy says what happens to a client over HighWaterMark or MaxQueued;
	// default SlowClose.
	SlowPolicy SlowPolicy
	// MaxQueuedBytes is how many bytes may wait for all slow clients together; above
	// it those with the most are closed, looked at every 10 ms. A broadcast that waits
	// for many counts for each of them, though its bytes exist once. Default 1 GiB.
	MaxQueuedBytes int64
	// MaxBlocked is how long a WebSocket client may take nothing; default 30 s.
	MaxBlocked time.Duration
	// HeaderTimeout bounds the arrival of a request head; default 10 s.
	HeaderTimeout time.Duration
	// BodyTimeout bounds the arrival of a POST body; default 30 s.
	BodyTimeout time.Duration
	// IdleTimeout closes a connection that waits between two requests; default 65 s.
	IdleTimeout time.Duration
	// CloseTimeout is how long a peer may take to answer a close frame; default 3 s.
	CloseTimeout time.Duration
	// SendBuffer is the kernel's send buffer per connection, in bytes; default 128 KiB.
	SendBuffer int
	// Logger gets what an operator should know; default slog.Default().
	Logger *slog.Logger
}

// maxTurnWrites is more sessions than a loop has; times heldPerWrite it fits an int.
const maxTurnWrites = 1 << 24

func (o Options) withDefaults() Options {
	o.Path = "/" + strings.Trim(orElse(o.Path, "/socket.io"), "/")
	o.PingInterval = orElse(o.PingInterval, 25*time.Second)
	o.PingTimeout = orElse(o.PingTimeout, 20*time.Second)
	o.UpgradeTimeout = orElse(o.UpgradeTimeout, 10*time.Second)
	o.ConnectTimeout = orElse(o.ConnectTimeout, 45*time.Second)
	o.MaxHTTPBufferSize = orElse(o.MaxHTTPBufferSize, 1_000_000)
	o.Loops = orElse(o.Loops, runtime.GOMAXPROCS(0))
	o.TurnWrites = min(max(orElse(o.TurnWrites, 128), 1), maxTurnWrites)
	if o.MaxTasks = orElse(o.MaxTasks, 65_536); o.MaxTasks < 0 {
		o.MaxTasks = math.MaxInt
	}
	o.HighWaterMark = max(orElse(o.HighWaterMark, 1<<20), int(o.MaxHTTPBufferSize))
	o.MaxQueued = orElse(o.MaxQueued, 16_384)
	o.MaxQueuedBytes = orElse(o.MaxQueuedBytes, 1<<30)
	o.MaxBlocked = orElse(o.MaxBlocked, 30*time.Second)
	o.HeaderTimeout = orElse(o.HeaderTimeout, 10*time.Second)
	o.BodyTimeout = orElse(o.BodyTimeout, 30*time.Second)
	o.IdleTimeout = orElse(o.IdleTimeout, 65*time.Second)
	o.CloseTimeout = orElse(o.CloseTimeout, 3*time.Second)
	o.MaxHooks = max(orElse(o.MaxHooks, 1024), 1)
	o.MaxParked = orElse(o.MaxParked, 4096)
	o.TLSHandshakeTimeout = orElse(o.TLSHandshakeTimeout, 10*time.Second)
	o.MaxTLSHandshakes = orElse(o.MaxTLSHandshakes, 1024)
	o.SendBuffer = orElse(o.SendBuffer, 128<<10)
	if len(o.Transports) == 0 {
		o.Transports = []Transport{Polling, WebSocket}
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// orElse returns v, or the default where v is the zero value.
func orElse[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

func (o *Options) allows(t Transport) bool {
	for _, have := range o.Transports {
		if have == t {
			return true
		}
	}
	return false
}

// upgrades lists what a session on polling may move to.
func (o *Options) upgrades() []string {
	if o.NoUpgrades {
		return nil
	}
	var names []string
	for _, t := range []Transport{WebSocket, WebTransport} { // in Node's order
		if o.allows(t) {
			names = append(names, t.String())
		}
	}
	return names
}
