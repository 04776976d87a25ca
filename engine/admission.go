package engine

import (
	"net/http"

	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/panjf2000/gnet/v2"
)

// full reports that no further connection may come in. The descriptor's number
// tells how many the whole process has open: numbers are given out lowest first.
func (s *Server) full(fd int) bool {
	if s.draining.Load() && (s.told.Load() || !s.owesFarewell()) {
		return true // until then a poll that is to learn of the end may need a new one
	}
	return fd >= s.maxFD || int(s.gauges.connections.Load()) >= s.opts.MaxConnections
}

// crowded reports that there are as many sessions as there may be connections: one
// connection could open any number of polling sessions otherwise.
func (s *Server) crowded() bool {
	return s.gauges.sessions() >= int64(s.opts.MaxConnections)
}

// refuseConn answers a connection there is no room for.
func (s *Server) refuseConn(gc gnet.Conn) {
	s.gauges.refused.Add(1)
	r := http1.Response{Status: http.StatusServiceUnavailable, Header: retryAfter, Close: true}
	_, _ = writeNow(gc.Fd(), r.AppendTo(nil))
}
