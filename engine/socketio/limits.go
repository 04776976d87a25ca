package socketio

import "github.com/fanfare-go/fanfare/engine"

// Limits bound what one peer or one client may do.
type Limits = engine.Limits

// Rate is how often something may happen.
type Rate = engine.Rate

// Limit names one of the Limits.
type Limit = engine.Limit

// Limited is what OnLimited learns of who met a limit.
type Limited = engine.Limited

// The limits that can be met.
const (
	LimitConnections    = engine.LimitConnections    // Limits.ConnectionsPerIP
	LimitConnectionRate = engine.LimitConnectionRate // Limits.ConnectionRatePerIP
	LimitSessionRate    = engine.LimitSessionRate    // Limits.SessionRatePerIP
	LimitMessages       = engine.LimitMessages       // Limits.Messages
	LimitBytes          = engine.LimitBytes          // Limits.Bytes
	LimitPings          = engine.LimitPings          // Limits.PingRate
	LimitMessageTime    = engine.LimitMessageTime    // Limits.MessageTimeout
	LimitBodyRate       = engine.LimitBodyRate       // Limits.MinBodyRate
	LimitRequestRate    = engine.LimitRequestRate    // Limits.RequestRatePerIP
	LimitMessagesPerIP  = engine.LimitMessagesPerIP  // Limits.MessagesPerIP
	LimitBytesPerIP     = engine.LimitBytesPerIP     // Limits.BytesPerIP
)

// ErrBadLimits: Options.Limits, or those of SetLimits, cannot be meant.
var ErrBadLimits = engine.ErrBadLimits

// SetLimits replaces Options.Limits while the server runs; see engine.Server.SetLimits for
// when that takes effect. Errors: ErrBadLimits, and then the old ones stay. Safe for
// concurrent use.
func (v *Server) SetLimits(m Limits) error { return v.engine.SetLimits(m) }

// ProxyProtocol says whether connections begin with a header of the PROXY protocol.
type ProxyProtocol = engine.ProxyProtocol

// What Options.ProxyProtocol may be.
const (
	ProxyOff      = engine.ProxyOff      // none does
	ProxyOptional = engine.ProxyOptional // those of trusted proxies may
	ProxyRequired = engine.ProxyRequired // those of trusted proxies do, and there are no others
)

// overLimit reports that the message being received came too fast, where that drops its
// event.
func (c *client) overLimit() bool {
	return c.server.engine.DropsOver() && c.session.OverLimit()
}
