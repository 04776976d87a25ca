package embedded

// RouteBytes is how many bytes this server has sent to the others of its cluster, over the
// connections that there are now.
func (s *Server) RouteBytes() (sum uint64) {
	v, err := s.nats.Routez(nil)
	if err != nil {
		return 0
	}
	for _, r := range v.Routes {
		sum += uint64(max(r.OutBytes, 0))
	}
	return sum
}
