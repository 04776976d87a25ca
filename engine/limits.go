package engine

import (
	"log/slog"
	"net/netip"
	"runtime/debug"
	"time"
)

// Rate is how often something may happen: a bucket of Burst tokens that fills up with
// PerSecond tokens each second.
type Rate struct {
	// PerSecond is the rate; 0, the default, is no limit.
	PerSecond int
	// Burst is how many may come at once after a quiet time; default one second's
	// worth. It is at least 10 ms' worth.
	Burst int
}

// Limits bound what one peer or one client may do to the server. The zero value has
// no limit but those of PingRate and MessageTimeout. Node has none of them.
//
// A peer is an IP address; in IPv6 it is the /64 network, because a host has that many
// addresses. Behind a proxy that is not in Options.TrustedProxies all clients are one
// peer: leave the limits per IP out there. Where it is, sessions and requests count for
// the client, and so do connections that the PROXY protocol names one for; other
// connections of a proxy count for nobody.
type Limits struct {
	// ConnectionsPerIP is how many connections a peer may have open. What comes beyond
	// is answered 503 with a Retry-After, or, over TLS, hung up on.
	ConnectionsPerIP int
	// ConnectionRatePerIP is how many connections a peer may open; likewise.
	ConnectionRatePerIP Rate
	// SessionRatePerIP is how many sessions a peer may open, which is where the work of
	// a handshake is. What comes beyond is answered 429 with a Retry-After.
	SessionRatePerIP Rate
	// MessagesPerIP and BytesPerIP are Messages and Bytes of all sessions of a peer
	// together, and met in the same way: a peer may have many sessions.
	MessagesPerIP, BytesPerIP Rate
	// RequestRatePerIP is how many HTTP requests a peer may send, polls and those for
	// Options.Handler included. What comes beyond is answered 429 with a Retry-After, and
	// the connection closed, unless it is a trusted proxy's.
	RequestRatePerIP Rate
	// Exempt are networks to whose addresses the limits per IP, Messages and Bytes do not
	// apply; default none. The slice is not to be changed any more.
	Exempt []netip.Prefix
	// MaxIPs is how many peers are remembered for that; default 65,536. While there are
	// more of them, the limits per IP do not hold for the rest.
	MaxIPs int

	// Messages is how many messages a session may send: events, acknowledgements, each
	// attachment of one, everything but the answer to a ping.
	Messages Rate
	// Bytes is how many bytes they may have; its burst is MaxHTTPBufferSize at least.
	Bytes Rate
	// DropOver drops events that are over Messages or Bytes, where the floor above
	// does that (Session.OverLimit). By default the session is closed: over WebSocket
	// with the code 1008.
	DropOver bool

	// PingRate is how many WebSocket pings a client may send in a second before it is
	// closed with the code 1008; default 100, negative for any number. Heartbeats of
	// Engine.IO are not WebSocket's.
	PingRate int
	// MessageTimeout is how long one message may take to arrive, from its first byte
	// on, and one packet with all its attachments; default 30 s, negative for ever.
	// Then the client is closed, over WebSocket with the code 1008.
	MessageTimeout time.Duration
	// MinBodyRate is how many bytes per second the body of a POST has to have on
	// average from its fifth second on; default any. BodyTimeout bounds it, too.
	MinBodyRate int
}

func (m Limits) withDefaults(o *Options) Limits {
	m.MaxIPs = orElse(m.MaxIPs, 1<<16)
	m.PingRate = orElse(m.PingRate, 100)
	m.MessageTimeout = orElse(m.MessageTimeout, 30*time.Second)
	m.BytesPerIP.Burst = max(orElse(m.BytesPerIP.Burst, m.BytesPerIP.PerSecond), int(o.MaxHTTPBufferSize))
	m.Bytes.Burst = max(orElse(m.Bytes.Burst, m.Bytes.PerSecond), int(o.MaxHTTPBufferSize))
	return m
}

// Limit names one of the Limits.
type Limit uint8

// The limits that can be met; String gives the word for logs and metrics.
const (
	LimitConnections    Limit = iota + 1 // Limits.ConnectionsPerIP
	LimitConnectionRate                  // Limits.ConnectionRatePerIP
	LimitSessionRate                     // Limits.SessionRatePerIP
	LimitMessages                        // Limits.Messages
	LimitBytes                           // Limits.Bytes
	LimitPings                           // Limits.PingRate
	LimitMessageTime                     // Limits.MessageTimeout
	LimitBodyRate                        // Limits.MinBodyRate
	LimitRequestRate                     // Limits.RequestRatePerIP
	LimitMessagesPerIP                   // Limits.MessagesPerIP
	LimitBytesPerIP                      // Limits.BytesPerIP

	limitCount = int(LimitBytesPerIP) + 1
)

var limitText = [limitCount]string{
	"", "connections", "connection rate", "session rate", "messages", "bytes", "pings", "message timeout", "body rate", "request rate",
	"messages per IP", "bytes per IP",
}

// String returns what the limit is about.
func (m Limit) String() string {
	if int(m) < len(limitText) {
		return limitText[m]
	}
	return "unknown"
}

// Limited is what Options.OnLimited learns of who met a limit.
type Limited struct {
	Limit   Limit
	Peer    netip.Addr // whose connection it is; for IPv6 the /64 network
	Session *Session   // nil where there is none yet
	Dropped bool       // events are being dropped; else the connection or the request was refused, or the client closed
}

// limited counts who met a limit and tells of it. c may be nil.
func (l *loop) limited(e Limited) {
	l.stats.limits[e.Limit].Add(1)
	fn := l.srv.opts.OnLimited
	if fn == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			l.stats.panics.Add(1)
			l.srv.opts.Logger.Error("engine: panic in OnLimited", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		}
	}()
	fn(e)
}

// exceed closes a session whose client met a limit.
func (s *Session) exceed(m Limit) {
	s.loop.limited(Limited{Limit: m, Peer: s.host(), Session: s})
	s.uncork() // which may fail
	if c := s.conn; c != nil {
		c.byeFor(m)
	}
	s.close(ReasonForcedClose, byServer)
}
