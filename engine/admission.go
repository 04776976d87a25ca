package engine

import (
	"fmt"
	"math/rand/v2"
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

// admit takes a place for a new session in what Options.AcceptRate allows; false
// when there is none at the moment. It comes after every other check, so that
// requests which open nothing take no place.
func (l *loop) admit() bool {
	if l.srv.opened.take(&l.srv.rate, l.now, 1) {
		return true
	}
	l.stats.limited.Add(1)
	return false
}

// refuseConn answers a connection there is no room for. One that comes while the last
// ones end is closed without a word, as it would be a moment later by the kernel: an
// answer to a request that has not been sent yet confuses proxies (nginx 1.22 goes on
// to the next server, and puts this status on that one's answer).
func (s *Server) refuseConn(gc gnet.Conn) {
	s.gauges.refused.Add(1)
	if s.draining.Load() {
		return
	}
	if s.tls != nil {
		return // there is no room to encrypt it either
	}
	r := http1.Response{Status: http.StatusServiceUnavailable, Header: retryAfter(), Close: true}
	_, _ = writeNow(gc.Fd(), r.AppendTo(nil))
}

// busy answers a request that there is no room for, or no time.
func (c *conn) busy() []byte {
	c.http.flags &^= httpKeepAlive
	c.answer(http1.Response{Status: http.StatusServiceUnavailable, Header: retryAfter()})
	return nil
}

// retrySpread is the longest Retry-After, in seconds.
const retrySpread = 10

// retryAfter returns the header line that asks a client to come back, each at
// another time: all who are turned away at once would come back at once.
func retryAfter() []byte { return retryLines[rand.IntN(retrySpread)] }

var retryLines = func() (lines [retrySpread][]byte) {
	for i := range lines {
		lines[i] = fmt.Appendf(nil, "Retry-After: %d\r\n", i+1)
	}
	return lines
}()
