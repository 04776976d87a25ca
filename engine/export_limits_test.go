package engine

import "net/netip"

// Peers is how many the server remembers, and how many connections of ip it counts.
func (s *Server) Peers(ip string) (remembered, connections int) {
	p := &s.peers
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.table[hostOfIP(netip.MustParseAddr(ip))]; e != nil {
		connections = e.connections
	}
	return len(p.table), connections
}

// AcceptFrom is what a server with these limits says to a connection.
func (s *Server) AcceptFrom(ip string, tick uint64) (counted bool, met Limit) {
	r := s.rules.Load()
	return s.peers.accept(r, s.peerOfLimits(r, netip.MustParseAddr(ip)), tick)
}

// LeaveFrom undoes AcceptFrom.
func (s *Server) LeaveFrom(ip string) { s.peers.leave(hostOfIP(netip.MustParseAddr(ip)), s.Tick()) }

// Watched counts entries of the tables of sessions that send, and of those with half a
// packet, of loops that the test runs itself.
func (s *Server) Watched() (metered, incomplete int) {
	for _, l := range s.allLoops() {
		metered += len(l.metered)
		incomplete += len(l.incomplete)
	}
	return metered, incomplete
}

// Bucket is a bucket of tokens.
type Bucket struct {
	size  bucket
	level level
}

// NewBucket returns a full one.
func NewBucket(r Rate) *Bucket { return &Bucket{size: newBucket(r)} }

// Take takes n tokens at a tick.
func (b *Bucket) Take(tick uint64, n int) bool { return b.level.take(&b.size, tick, n) }

// HostOf is who one peer is.
func HostOf(ip netip.Addr) netip.Addr { return hostOfIP(ip) }

// ClientOf is who the lines of a field say has sent a request.
func (s *Server) ClientOf(field string, lines []string) (netip.AddrPort, error) {
	k, err := s.clientOf(func(name string) []string {
		if name == field {
			return lines
		}
		return nil
	})
	return k.addr, err
}

// HeldPeers is how often meters of sessions hold a peer.
func (s *Server) HeldPeers() (n int) {
	s.peers.mu.Lock()
	defer s.peers.mu.Unlock()
	for _, e := range s.peers.table {
		n += e.meters
	}
	return n
}
