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
)

// overLimit reports that the message being received came too fast, where that drops its
// event.
func (c *client) overLimit() bool {
	return c.server.options.Limits.DropOver && c.session.OverLimit()
}
