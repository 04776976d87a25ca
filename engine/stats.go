package engine

import (
	"sync/atomic"
	"time"
)

// Stats is a snapshot of what the server counted since it was made.
type Stats struct {
	Connections   int64         // open TCP connections on the loops
	Handed        int64         // connections with Options.Handler's http.Server
	Polling       int64         // open sessions whose transport is polling
	WebSocket     int64         // open sessions whose transport is WebSocket
	WebTransport  int64         // open sessions whose transport is WebTransport
	QueuedBytes   int64         // waiting for clients that cannot take more at the moment
	Loops         int           // event loops known so far
	LoopLag       time.Duration // how long the slowest loop has owed a turn
	Accepted      uint64        // connections accepted, moved ones counted again
	Refused       uint64        // connections refused for want of room
	Limited       uint64        // sessions refused by AcceptRate
	Emptying      bool          // Empty or Shutdown was called; the open sessions are those that are left
	TurnedAway    uint64        // requests for new sessions refused since Empty was called
	Opened        uint64        // sessions opened
	Closed        map[Reason]uint64
	OpenedEIO3    uint64            // those of them that speak Engine.IO 3
	Requests      uint64            // HTTP requests for the engine
	Forwarded     uint64            // requests that Options.Forward has served for other servers
	BadRequests   uint64            // requests that were not HTTP
	Rejected      map[string]uint64 // requests refused, by Node's message
	Parked        int64             // requests that wait for a middleware, AllowRequest or GenerateID
	Answered      uint64            // requests that a middleware answered itself
	Unjudged      uint64            // requests answered 503, because too many waited for a hook or one took too long
	TooLarge      uint64            // POST bodies over the limit
	Limits        map[Limit]uint64  // how often each of the Limits was met
	Peers         int               // peers that the limits per IP remember
	Proxied       uint64            // connections that a header of the PROXY protocol was read of
	ProxyFailed   uint64            // those closed for want of one, or for a bad one
	ProxyRefused  uint64            // those closed because they did not come from a trusted proxy
	TLSHandshakes uint64            // TLS handshakes that succeeded
	TLSFailed     uint64            // TLS handshakes that did not: refused, not TLS at all, or too slow
	TLSFaults     uint64            // TLS connections closed later, for bytes that are not the peer's
	Upgrades      uint64
	UpgradesLost  uint64 // probes that failed
	Faults        uint64 // WebSocket protocol errors
	Violations    uint64 // protocol errors found by the floor above
	PacketsIn     uint64
	BytesIn       uint64
	PacketsOut    uint64    // sent, or left to wait for a client that does not take them
	BytesOut      uint64    // of them, with the heads of WebSocket frames
	Broadcasts    Durations // from a publish until a loop has written it to all of its members; a sample
	PingRTT       Durations // from a ping to its pong; a sample
	Deliveries    uint64    // members reached by publishes
	Writes        uint64    // system calls that sent frames, of publishes and sends, over WebSocket
	Held          int64     // sessions whose frames wait for their loop's next turns
	Tasks         int64     // sends, publishes, joins and the like that wait for their loop
	Congested     uint64    // calls of AwaitLoops that had to wait
	VolatileDrops uint64
	SlowClosed    uint64 // clients closed because they took too little
	SlowCauses    map[SlowCause]uint64
	SlowDrops     uint64 // frames dropped for clients that take too little (SlowDropOldest)
	Panics        uint64

	Deflated     uint64 // messages compressed for WebSocket, each once for all who receive it
	DeflatedFrom uint64 // bytes of them before
	DeflatedTo   uint64 // and after
	Inflated     uint64 // compressed messages received over WebSocket
	InflatedFrom uint64 // bytes of them as they came
	InflatedTo   uint64 // and what became of them
	Encoded      uint64 // answers of polling compressed; one for all where it is one frame alone
	EncodedFrom  uint64 // bytes of them before
	EncodedTo    uint64 // and after
}

// gauges are counts that several loops move. Atomic.
type gauges struct {
	connections atomic.Int64
	handed      atomic.Int64
	parked      atomic.Int64
	moving      atomic.Int64 // connections between two loops
	polling     atomic.Int64
	websocket   atomic.Int64
	webtrans    atomic.Int64
	lingering   atomic.Int64 // closed polling sessions that are kept for one more poll
	refused     atomic.Uint64
	forwarded   atomic.Uint64
}

func (g *gauges) of(t Transport) *atomic.Int64 {
	switch t {
	case WebSocket:
		return &g.websocket
	case WebTransport:
		return &g.webtrans
	}
	return &g.polling
}

// sessions is how many are open.
func (g *gauges) sessions() int64 { return g.polling.Load() + g.websocket.Load() + g.webtrans.Load() }

// loopStats are the counters of one loop: written by it alone, read by anybody. Atomic.
type loopStats struct {
	openedEIO3, turnedAway                                atomic.Uint64
	accepted, opened, requests, badRequests, tooLarge     atomic.Uint64
	answered, unjudged                                    atomic.Uint64
	limited, upgrades, upgradesFailed, faults, violations atomic.Uint64
	packetsIn, bytesIn, deliveries                        atomic.Uint64
	packetsOut, bytesOut                                  atomic.Uint64
	tlsHandshakes, tlsFailed, tlsFaults                   atomic.Uint64
	proxied, proxyFailed, proxyRefused                    atomic.Uint64
	limits                                                [limitCount]atomic.Uint64
	writes, volatileDropped, slowDropped, panics          atomic.Uint64
	slowClosed                                            [slowCauses]atomic.Uint64
	queuedBytes, held                                     atomic.Int64
	closed                                                [reasonCount]atomic.Uint64
	rejected                                              [requestErrors]atomic.Uint64
}

// Stats adds up what the loops counted.
func (s *Server) Stats() Stats {
	loops := s.allLoops()
	st := Stats{
		Connections: s.gauges.connections.Load(), Handed: s.gauges.handed.Load(),
		Polling: s.gauges.polling.Load(), WebSocket: s.gauges.websocket.Load(), WebTransport: s.gauges.webtrans.Load(),
		Emptying: s.leaves(),
		Refused:  s.gauges.refused.Load(), Forwarded: s.gauges.forwarded.Load(), Parked: s.gauges.parked.Load(), Loops: len(loops),
		SlowCauses: make(map[SlowCause]uint64), Closed: make(map[Reason]uint64), Rejected: make(map[string]uint64),
		Limits: make(map[Limit]uint64), Peers: s.peers.len(), Congested: s.congestion.waits.Load(),
	}
	for _, l := range loops {
		st.LoopLag = max(st.LoopLag, l.lag())
		st.Tasks += int64(l.box.Len())
		st.add(&l.stats)
		st.Broadcasts.Add(&l.times.crowds)
		st.PingRTT.Add(&l.times.rtts)
	}
	st.addCompression(s)
	return st
}

func (st *Stats) add(l *loopStats) {
	st.QueuedBytes += l.queuedBytes.Load()
	st.Held += l.held.Load()
	for _, c := range []struct {
		sum *uint64
		one *atomic.Uint64
	}{
		{&st.Accepted, &l.accepted}, {&st.Limited, &l.limited}, {&st.TurnedAway, &l.turnedAway}, {&st.Answered, &l.answered}, {&st.Unjudged, &l.unjudged}, {&st.Opened, &l.opened}, {&st.OpenedEIO3, &l.openedEIO3}, {&st.Requests, &l.requests},
		{&st.BadRequests, &l.badRequests}, {&st.TooLarge, &l.tooLarge}, {&st.Upgrades, &l.upgrades},
		{&st.UpgradesLost, &l.upgradesFailed}, {&st.Faults, &l.faults}, {&st.Violations, &l.violations},
		{&st.PacketsIn, &l.packetsIn}, {&st.BytesIn, &l.bytesIn}, {&st.PacketsOut, &l.packetsOut}, {&st.BytesOut, &l.bytesOut}, {&st.Deliveries, &l.deliveries},
		{&st.VolatileDrops, &l.volatileDropped}, {&st.SlowDrops, &l.slowDropped}, {&st.Panics, &l.panics},
		{&st.Writes, &l.writes},
		{&st.Proxied, &l.proxied}, {&st.ProxyFailed, &l.proxyFailed}, {&st.ProxyRefused, &l.proxyRefused},
		{&st.TLSHandshakes, &l.tlsHandshakes}, {&st.TLSFailed, &l.tlsFailed}, {&st.TLSFaults, &l.tlsFaults},
	} {
		*c.sum += c.one.Load()
	}
	for c := range l.slowClosed {
		if n := l.slowClosed[c].Load(); n > 0 {
			st.SlowClosed += n
			st.SlowCauses[SlowCause(c)] += n
		}
	}
	for m := range l.limits {
		if n := l.limits[m].Load(); n > 0 {
			st.Limits[Limit(m)] += n
		}
	}
	for r := range l.closed {
		if n := l.closed[r].Load(); n > 0 {
			st.Closed[Reason(r)] += n
		}
	}
	for _, e := range []*requestError{errUnknownTransport, errUnknownSID, errBadMethod, errBadRequest, errForbidden, errProtocolVersion} {
		st.Rejected[e.message] += l.rejected[e.code].Load()
	}
}

func (st *Stats) addCompression(s *Server) {
	if d := s.deflation; d != nil {
		st.Deflated, st.DeflatedFrom, st.DeflatedTo = d.messages.Load(), d.from.Load(), d.to.Load()
	}
	e := s.encoding
	st.Encoded, st.EncodedFrom, st.EncodedTo = e.bodies.Load(), e.from.Load(), e.to.Load()
	n := &s.inflated
	st.Inflated, st.InflatedFrom, st.InflatedTo = n.Messages.Load(), n.From.Load(), n.To.Load()
}

// lag is how long the loop has owed the ticker a turn. Safe for concurrent use.
func (l *loop) lag() time.Duration {
	asked := l.asked.Load()
	if asked == 0 {
		return 0
	}
	return time.Duration(l.srv.clock.now()-asked) * tickLength
}
