package socketio

import "github.com/fanfare-go/fanfare/engine"

// SlowPolicy says what becomes of a client that takes less than it is sent.
type SlowPolicy = engine.SlowPolicy

const (
	// SlowClose closes it; its sockets are disconnected with ReasonTransportError,
	// and a stock client connects anew.
	SlowClose = engine.SlowClose
	// SlowDropOldest drops the oldest events that wait for it to make room for new
	// ones; never acknowledgements, or packets of the protocol. For those who show
	// the present state of something and need not see every step.
	SlowDropOldest = engine.SlowDropOldest
)

// Slow says what happened to a slow client, and how much waits for it.
type Slow = engine.Slow

// SlowCause says which of the Options' bounds a slow client met.
type SlowCause = engine.SlowCause

// The causes of slowness.
const (
	SlowBytes  = engine.SlowBytes  // Options.HighWaterMark
	SlowFrames = engine.SlowFrames // Options.MaxQueued
	SlowTime   = engine.SlowTime   // Options.MaxBlocked
	SlowMemory = engine.SlowMemory // Options.MaxQueuedBytes
)

var _ engine.SlowReceiver = (*client)(nil)

// Slow implements engine.SlowReceiver.
func (c *client) Slow(e Slow) {
	tell := c.server.options.OnSlow
	if tell == nil {
		return
	}
	for _, s := range c.sockets() {
		if s.Connected() {
			tell(s, e)
		}
	}
}
