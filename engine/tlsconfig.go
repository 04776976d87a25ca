package engine

import (
	"crypto/tls"
	"runtime"
)

// tlsServer is what the connections of a server with TLS have in common.
type tlsServer struct {
	config *tls.Config   // immutable
	work   chan struct{} // one for each handshake that calculates
}

// alpn is what we speak over TLS: the loop knows no other version.
var alpn = []string{"http/1.1"}

// newTLSServer checks the user's configuration and fits it to the loop. The number of
// handshakes that calculate at a time is that of the processors: each holds up a loop
// for a millisecond at most.
func newTLSServer(user *tls.Config) (*tlsServer, error) {
	if len(user.Certificates) == 0 && user.GetCertificate == nil && user.GetConfigForClient == nil {
		return nil, ErrNoCertificate
	}
	t := &tlsServer{config: user.Clone(), work: make(chan struct{}, runtime.GOMAXPROCS(0))}
	t.config.NextProtos = alpn
	if get := user.GetCertificate; get != nil {
		t.config.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			defer t.rest()()
			return get(hello)
		}
	}
	if get := user.GetConfigForClient; get != nil {
		t.config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			defer t.rest()()
			return onlyHTTP1(get(hello))
		}
	}
	return t, nil
}

// rest lets another handshake calculate while a callback runs: it may ask the network.
// The returned function ends that.
func (t *tlsServer) rest() (end func()) {
	<-t.work
	return func() { t.work <- struct{}{} }
}

// onlyHTTP1 takes other protocols out of a configuration.
func onlyHTTP1(c *tls.Config, err error) (*tls.Config, error) {
	if c == nil || err != nil || len(c.NextProtos) == 0 || len(c.NextProtos) == 1 && c.NextProtos[0] == alpn[0] {
		return c, err
	}
	c = c.Clone()
	c.NextProtos = alpn
	return c, nil
}
