package socketio

import (
	"context"
	"crypto/tls"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
)

// CORS says which origins besides the server's own may use it.
type CORS = engine.CORS

// PerMessageDeflate says how messages over WebSocket are compressed.
type PerMessageDeflate = engine.PerMessageDeflate

// HTTPCompression says how answers of long-polling are compressed.
type HTTPCompression = engine.HTTPCompression

// Transport names how a client's bytes travel.
type Transport = engine.Transport

// The transports that clients may use.
const (
	Polling   = engine.Polling   // HTTP long-polling
	WebSocket = engine.WebSocket // RFC 6455
	// WebTransport is over HTTP/3, which the module engine/webtransport brings.
	WebTransport = engine.WebTransport
)

// Options configure a Server. The zero value of each field means its default.
type Options struct {
	// Path is the path prefix of Socket.IO requests; default "/socket.io". Node: path.
	Path string
	// NoTrailingSlash serves Path without the slash, too, as for clients with
	// addTrailingSlash: false. Node: addTrailingSlash: false.
	NoTrailingSlash bool
	// Transports lists what clients may use; default Polling and WebSocket. Node: transports.
	Transports []Transport
	// NoUpgrades keeps clients that begin with polling on it. Node: allowUpgrades: false.
	NoUpgrades bool
	// PingInterval is the time between heartbeats; default 25 s. Node: pingInterval.
	PingInterval time.Duration
	// PingTimeout is how long the answer to one may take; default 20 s. Node: pingTimeout.
	PingTimeout time.Duration
	// UpgradeTimeout bounds the change from polling to WebSocket; default 10 s. Node: upgradeTimeout.
	UpgradeTimeout time.Duration
	// ConnectTimeout closes a connection that has joined no namespace; default 45 s. Node: connectTimeout.
	ConnectTimeout time.Duration
	// AllowEIO3 lets clients of Socket.IO 2 in; default no. Node: allowEIO3.
	AllowEIO3 bool
	// MaxHTTPBufferSize bounds one message, such as one attachment, in bytes;
	// default 1e6. Node: maxHttpBufferSize.
	MaxHTTPBufferSize int64
	// CORS says which other origins may use the server; default none. Node: cors.
	CORS CORS
	// NoJSONP answers polls with a j parameter as if they had none. Otherwise they are
	// JSONP's, for browsers without XMLHttpRequest; see engine.Options. Node has no such
	// option.
	NoJSONP bool
	// Cookie is set by the first answer to a client that polls; default none, &Cookie{} is
	// Node's cookie: true. Node: cookie.
	Cookie *Cookie
	// InitialPacket is the text of a message that follows the open packet of each
	// connection, a packet of Socket.IO: an event such as 2["motd","hello"] reaches the
	// client's handlers once it is connected. Default none. Node: initialPacket.
	InitialPacket string
	// AllowRequest decides who may open a connection; default everybody. An error refuses,
	// and keeps its text to itself unless it is a *RequestError. It may block: ctx, which
	// is the request's, is done when the peer is gone, the server stops, or ConnectTimeout
	// is over. For a decision that needs the auth of the client, see Use. Node: allowRequest.
	AllowRequest func(ctx context.Context, r *http.Request) error
	// GenerateID names the Engine.IO session that a request opens: 1 to 64 letters, digits
	// and "-._~", which nobody can guess and no living session has. An error refuses the
	// request. It may block. Default: 120 random bits. Node: io.engine.generateId.
	GenerateID func(r *http.Request) (string, error)
	// MaxHooks is how many requests may be with AllowRequest, GenerateID or middlewares of
	// Engine at the same time; default 1,024.
	MaxHooks int
	// MaxParked is how many more may wait for that; default 4,096. What comes beyond is
	// answered 503 with a Retry-After.
	MaxParked int
	// PerMessageDeflate compresses long messages over WebSocket for clients that can
	// take them so; nil, the default, for none. New panics where it asks for a level or
	// a window that there is not. Node: perMessageDeflate.
	PerMessageDeflate *PerMessageDeflate
	// HTTPCompression compresses long answers of polling, unless it is Off. New panics
	// where it asks for a level that there is not. Node: httpCompression.
	HTTPCompression HTTPCompression

	// TLS has the server speak https and wss: the handshake, certificates and so on are
	// crypto/tls's, the protocol is HTTP/1.1. Its callbacks run several at a time. See
	// CertificateFiles for one that is replaced while the server runs. Default: none.
	// Node: https.createServer(options).
	TLS *tls.Config
	// TLSHandshakeTimeout bounds a TLS handshake; default 10 s.
	TLSHandshakeTimeout time.Duration
	// MaxTLSHandshakes is how many may be in progress at a time; default 1,024. Four
	// times as many may wait for one to end.
	MaxTLSHandshakes int

	// NodeTag is what this server is called among those that share an address without
	// sticky sessions: 1 to 16 letters and digits, which no other one has. The ids of its
	// Engine.IO sessions begin with it and a dot. New panics where it is anything else.
	// Default: none. Package cluster/forward sets it, and Forward.
	NodeTag string
	// Forward returns what has the requests answered by another server whose session ids
	// they have, by that server's NodeTag; nil where there is none. See engine.Options. New
	// panics where there is no NodeTag. Default: such sessions are unknown.
	Forward func(tag string) http.Handler
	// Handler serves every other path of the port, such as the application's pages;
	// default: 404.
	Handler http.Handler
	// ClientFiles holds the browser client's files (the "dist" folder of the
	// socket.io-client package, or "client-dist" of the server's), served below Path;
	// default none. Where it has a file with ".br" or ".gz" behind the name too, those who
	// accept that are sent it. Node: serveClient.
	ClientFiles fs.FS

	// MaxConnections bounds open connections; default what the descriptor limit
	// allows, less a sixteenth.
	MaxConnections int
	// AcceptRate is how many clients may connect per second; default any number.
	// What comes beyond is answered 503 with a Retry-After. The stock client gets a
	// connect_error and tries again by itself, later each time. Clients that are
	// connected, their polls and their upgrades are never refused by it.
	AcceptRate int
	// AcceptBurst is how many may connect at once after a quiet time; default
	// AcceptRate, one second's worth; 10 ms' worth at least.
	AcceptBurst int
	// Loops is the number of event loops; default GOMAXPROCS.
	Loops int
	// TurnWrites is how many writes an event loop does before it looks at its
	// connections again, while a broadcast goes out; default 128, about 1 ms; up to
	// four times as many while nobody else says anything.
	TurnWrites int

	// TrustedProxies are the networks of proxies and balancers in front of the server, whose
	// word on who the client is, and whether it speaks TLS, is believed: in X-Forwarded-For,
	// Forwarded, X-Real-IP and X-Forwarded-Proto, and in the PROXY protocol. The client is
	// then what Handshake.Address and the limits per IP go by. New panics where one is no
	// network. Default: nobody.
	TrustedProxies []netip.Prefix
	// ClientHeader is the one field that names the client; default: the first of
	// X-Forwarded-For, Forwarded and X-Real-IP that there is. See engine.Options.
	ClientHeader string
	// ProxyProtocol says whether connections begin with a header of the PROXY protocol,
	// version 1 or 2; default ProxyOff. New panics where it is on without TrustedProxies.
	ProxyProtocol ProxyProtocol
	// Limits bound what one IP address or one client may do; the zero value bounds
	// WebSocket pings, and the time that a message or a packet may take to arrive.
	// With Limits.DropOver, events that come too fast are dropped; acknowledgements
	// and everything else never are.
	Limits Limits
	// OnLimited is told who met one of the Limits. Called on the event loop, or by a
	// request for Handler: it must not block. Default: none.
	OnLimited func(Limited)

	// HighWaterMark is how many bytes may wait for a slow client before SlowPolicy
	// applies; default 1 MiB, and at least MaxHTTPBufferSize.
	HighWaterMark int
	// MaxQueued is how many packets may wait for a slow client; default 16,384.
	MaxQueued int
	// SlowPolicy says what happens to a client over HighWaterMark or MaxQueued;
	// default SlowClose.
	SlowPolicy SlowPolicy
	// MaxBlocked is how long a client may take nothing at all before it is closed;
	// default 30 s.
	MaxBlocked time.Duration
	// MaxQueuedBytes is how many bytes may wait for all slow clients together before
	// those with the most are closed; default 1 GiB. What waits for several of them
	// counts for each, though it exists once.
	MaxQueuedBytes int64
	// OnSlow is told of a socket whose client is too slow: before it is closed, or,
	// under SlowDropOldest, at the first event it loses since it last kept up. Called
	// on the event loop: it must not block. Default: none.
	OnSlow func(s *Socket, e Slow)

	// MaxTasks is how many emits, joins and the like may wait for one event loop before the
	// handlers of further events wait for that; default 65,536. Meanwhile events wait in
	// their sockets' mailboxes, and the clients that send the most of them meet
	// MaxMailbox. Inline handlers, which run on a loop, do not wait. Negative: none does.
	MaxTasks int
	// Workers is how many handlers may run at the same time; default 1,024. Sockets
	// beyond that wait for their turn.
	Workers int
	// MaxMailbox is how many events of one socket may wait for its handlers before
	// its client is closed; default 16,384.
	MaxMailbox int
	// MaxMailboxBytes is how many bytes they may have, unless it is one event alone;
	// default twice MaxAttachmentBytes, and at least 4 MiB.
	MaxMailboxBytes int
	// MaxPendingAcks is how many events to one socket may wait for their
	// acknowledgement; default 10,000.
	MaxPendingAcks int
	// MaxBroadcastAcks is how many broadcasts may wait for their acknowledgements;
	// default 1,000.
	MaxBroadcastAcks int
	// MaxAnswerBytes is how many bytes of acknowledgements of one broadcast may wait
	// until its caller looks at them; default 64 MiB.
	MaxAnswerBytes int
	// AckTimeout is how long one may wait where its context has no deadline; default
	// 30 s, negative for ever, which is what Node does.
	AckTimeout time.Duration
	// RequestTimeout is how long FetchSockets, ServerSideEmitWithAck and what else asks
	// event loops or other servers may take where its context has no deadline; default
	// 5 s. Node: requestsTimeout of its adapters.
	RequestTimeout time.Duration
	// MaxNotices is how many room events of a namespace, notices of a Presence or events
	// of other servers may wait for those who listen; default 65,536. See RoomEvent.
	MaxNotices int
	// MaxRooms is how many rooms a socket may be in; default 1,024.
	MaxRooms int
	// MaxNamespaces is how many namespaces a connection may be in, or have left with
	// handlers still at work for it; default 32.
	MaxNamespaces int
	// MaxChildNamespaces is how many children of parent namespaces there may be before
	// a client that asks for one more is refused; default 10,000. See
	// [Server.OfPattern]. Node has no such bound.
	MaxChildNamespaces int
	// CleanupEmptyChildNamespaces removes a child of a parent namespace, and closes its
	// adapter, when its last socket has gone and that one's disconnect functions have
	// returned. The next client that asks for it has it made anew. Node:
	// cleanupEmptyChildNamespaces.
	CleanupEmptyChildNamespaces bool
	// MaxAttachments bounds the binary attachments of one packet, both ways;
	// default 10, and 1,024 with a Parser. Node: maxAttachments of socket.io-parser.
	MaxAttachments int
	// MaxAttachmentBytes bounds the attachments of one received packet together, in
	// bytes; default 4 times MaxHTTPBufferSize. Node has no such bound.
	MaxAttachmentBytes int64
	// MaxDepth bounds the nesting of received JSON; default 64 levels.
	MaxDepth int

	// ConnectionStateRecovery lets clients that lost their connection have their socket
	// again, and what it was sent meanwhile; default nil: off. Node:
	// connectionStateRecovery.
	ConnectionStateRecovery *Recovery
	// History says how much is kept of what is broadcast to a room, by the names of
	// namespace and room; it is asked at a broadcast to a room of which nothing is kept,
	// and must not block or use the server. Default: nothing. See [Namespace.KeepHistory]
	// for single rooms.
	History func(namespace, room string) HistoryLimits
	// MaxHistoryBytes bounds what all histories keep together, in bytes, beyond what
	// recovery needs of it; default 64 MiB. The oldest events go first.
	MaxHistoryBytes int64

	// ExpiryNotice is how long before a socket's time of [Socket.ExpireAt] the functions of
	// OnExpiring are called; default 30 s. Node has no such option.
	ExpiryNotice time.Duration
	// ExpiredEvent is the event that the client is sent at that time, in front of the
	// DISCONNECT; default "expired", "-" for none. Node has no such option.
	ExpiredEvent string

	// KeepHandshake keeps every socket's Handshake complete for its life, which
	// costs about 1 KB per connection.
	KeepHandshake bool
	// JSON replaces encoding/json.
	JSON Codec
	// Parser replaces the encoding of packets, for clients that do the same, such as
	// those with socket.io-msgpack-parser: see [Msgpack]. Default: the JSON that every
	// client speaks by itself. Node: parser.
	Parser Parser
	// Adapter makes what connects one namespace with other servers; default: the
	// MemoryAdapter it is given, which does not. It is called when a namespace is
	// made, before anybody can find that, once for each. It may deliver to the local
	// adapter at once, and use the server but for the namespace in the making. Node:
	// adapter.
	Adapter func(local *MemoryAdapter) Adapter
	// OnError is told of what went wrong in a handler: its error (as *EventError),
	// arguments that do not decode (*ArgError), a panic (*PanicError). Default: it
	// is logged. Called where the handler ran. See [Socket.OnError].
	OnError func(ctx context.Context, s *Socket, err error)
	// AckError maps the error of a handler of OnAck to an acknowledgement; false
	// withholds the acknowledgement and reports the error, which is the default.
	AckError func(err error) (reply any, ok bool)
	// ShutdownTimeout is how long ListenAndServe and Serve wait for clients and
	// handlers once their context is done; default 10 s.
	ShutdownTimeout time.Duration
	// Logger gets what an operator should know; default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Path = orElse(o.Path, "/socket.io")
	o.MaxHTTPBufferSize = orElse(o.MaxHTTPBufferSize, 1_000_000)
	o.Workers = orElse(o.Workers, 1024)
	o.MaxMailbox = orElse(o.MaxMailbox, 16_384)
	o.MaxAttachmentBytes = orElse(o.MaxAttachmentBytes, 4*o.MaxHTTPBufferSize)
	o.MaxMailboxBytes = orElse(o.MaxMailboxBytes, max(4<<20, 2*int(o.MaxAttachmentBytes)))
	o.MaxPendingAcks = orElse(o.MaxPendingAcks, 10_000)
	o.MaxBroadcastAcks = orElse(o.MaxBroadcastAcks, 1000)
	o.MaxAnswerBytes = orElse(o.MaxAnswerBytes, 64<<20)
	o.AckTimeout = orElse(o.AckTimeout, 30*time.Second)
	o.RequestTimeout = orElse(o.RequestTimeout, 5*time.Second)
	o.MaxNotices = orElse(o.MaxNotices, 65_536)
	o.MaxRooms = orElse(o.MaxRooms, 1024)
	o.MaxNamespaces = orElse(o.MaxNamespaces, 32)
	o.MaxChildNamespaces = orElse(o.MaxChildNamespaces, 10_000)
	if o.Parser != nil {
		o.MaxAttachments = orElse(o.MaxAttachments, parser.MaxAttachments)
	}
	o.MaxAttachments = orElse(o.MaxAttachments, parser.DefaultAttachments)
	o.ShutdownTimeout = orElse(o.ShutdownTimeout, 10*time.Second)
	o.ConnectionStateRecovery = o.ConnectionStateRecovery.withDefaults()
	o.ExpiryNotice = orElse(o.ExpiryNotice, 30*time.Second)
	o.ExpiredEvent = orElse(o.ExpiredEvent, "expired")
	o.MaxHistoryBytes = orElse(o.MaxHistoryBytes, 64<<20)
	o.JSON = orStandard(o.JSON)
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

// engine returns what the floor below is to know.
func (o *Options) engine(accept func(*engine.Session) engine.Receiver) engine.Options {
	e := engine.Options{
		Path: o.Path, NoTrailingSlash: o.NoTrailingSlash, Transports: o.Transports, NoUpgrades: o.NoUpgrades,
		PingInterval: o.PingInterval, PingTimeout: o.PingTimeout,
		UpgradeTimeout: o.UpgradeTimeout, ConnectTimeout: o.ConnectTimeout, AllowEIO3: o.AllowEIO3,
		MaxHTTPBufferSize: o.MaxHTTPBufferSize, CORS: o.CORS, NodeTag: o.NodeTag, Forward: o.Forward, Handler: o.Handler, Accept: accept,
		NoJSONP: o.NoJSONP, Cookie: o.Cookie, InitialPacket: o.InitialPacket, AllowRequest: o.AllowRequest, GenerateID: o.GenerateID,
		MaxHooks: o.MaxHooks, MaxParked: o.MaxParked,
		PerMessageDeflate: o.PerMessageDeflate, HTTPCompression: o.HTTPCompression,
		MaxConnections: o.MaxConnections, AcceptRate: o.AcceptRate, AcceptBurst: o.AcceptBurst,
		Loops: o.Loops, MaxTasks: o.MaxTasks, HighWaterMark: o.HighWaterMark,
		MaxQueued: o.MaxQueued, MaxBlocked: o.MaxBlocked, SlowPolicy: o.SlowPolicy,
		MaxQueuedBytes: o.MaxQueuedBytes, TurnWrites: o.TurnWrites, Logger: o.Logger,
		Limits: o.Limits, OnLimited: o.OnLimited,
		TrustedProxies: o.TrustedProxies, ClientHeader: o.ClientHeader, ProxyProtocol: o.ProxyProtocol,
		TLS: o.TLS, TLSHandshakeTimeout: o.TLSHandshakeTimeout, MaxTLSHandshakes: o.MaxTLSHandshakes,
	}
	if o.ClientFiles != nil {
		files := newClientFiles(o)
		e.Handler, e.OwnPath = files, files.has
	}
	return e
}
