package engine

import (
	"fmt"
	"net/netip"
)

// rules are the Limits in force, worked out once. Immutable: SetLimits replaces them.
type rules struct {
	Limits
	exempt                      networks
	accepts, sessions, requests bucket
	messages, bytes             bucket
	allMessages, allBytes       bucket // of a peer
	counted                     bool   // connections of a peer are counted
	metered                     bool   // messages are counted
	shared                      bool   // those of a peer together, too
}

func newRules(m Limits, o *Options) (*rules, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	exempt, err := newNetworks("Limits.Exempt", m.Exempt)
	if err != nil {
		return nil, err
	}
	m = m.withDefaults(o)
	r := &rules{
		Limits: m, exempt: exempt,
		accepts: newBucket(m.ConnectionRatePerIP), sessions: newBucket(m.SessionRatePerIP), requests: newBucket(m.RequestRatePerIP),
		messages: newBucket(m.Messages), bytes: newBucket(m.Bytes),
		allMessages: newBucket(m.MessagesPerIP), allBytes: newBucket(m.BytesPerIP),
	}
	r.counted = m.ConnectionsPerIP > 0 || r.accepts.each > 0
	r.shared = r.allMessages.each > 0 || r.allBytes.each > 0
	r.metered = r.messages.each > 0 || r.bytes.each > 0 || r.shared
	return r, nil
}

// check finds what cannot be meant.
func (m *Limits) check() error {
	for _, n := range []struct {
		name  string
		value int
	}{
		{"ConnectionsPerIP", m.ConnectionsPerIP}, {"MaxIPs", m.MaxIPs}, {"MinBodyRate", m.MinBodyRate},
		{"ConnectionRatePerIP", min(m.ConnectionRatePerIP.PerSecond, m.ConnectionRatePerIP.Burst)},
		{"SessionRatePerIP", min(m.SessionRatePerIP.PerSecond, m.SessionRatePerIP.Burst)},
		{"RequestRatePerIP", min(m.RequestRatePerIP.PerSecond, m.RequestRatePerIP.Burst)},
		{"Messages", min(m.Messages.PerSecond, m.Messages.Burst)},
		{"MessagesPerIP", min(m.MessagesPerIP.PerSecond, m.MessagesPerIP.Burst)},
		{"BytesPerIP", min(m.BytesPerIP.PerSecond, m.BytesPerIP.Burst)},
		{"Bytes", min(m.Bytes.PerSecond, m.Bytes.Burst)},
	} {
		if n.value < 0 {
			return fmt.Errorf("%w: %s is negative", ErrBadLimits, n.name)
		}
	}
	return nil
}

// SetLimits replaces Options.Limits while the server runs: zero values mean the same
// defaults. What comes next is held to the new ones; a session, a connection or a body
// that is in progress is not ended for what it did before, nor is anybody refused: all
// buckets are full again. Connections that came while nobody counted are not counted. All of the Limits can be changed so, and no other
// option. Errors: ErrBadLimits, and then the old ones stay. Safe for concurrent use.
func (s *Server) SetLimits(m Limits) error {
	r, err := newRules(m, &s.opts)
	if err == nil {
		s.rules.Store(r)
		s.peers.forgive()
	}
	return err
}

// peerOfLimits is the peer that limits per IP count an address for; the zero value where
// they do not apply to it. A proxy that is trusted to name clients is none itself.
func (s *Server) peerOfLimits(r *rules, ip netip.Addr) netip.Addr {
	if !ip.IsValid() || s.trusted.has(ip) || r.exempt.has(ip) {
		return netip.Addr{}
	}
	return hostOfIP(ip)
}
