package engine

import (
	"crypto/tls"
	"net"
)

// TLSPipe is what crypto/tls stands on while a connection is on a loop.
type TLSPipe struct{ layer *tlsLayer }

// NewTLSPipe shakes hands over nc, and is on a loop from then on.
func NewTLSPipe(nc net.Conn, config *tls.Config) (*TLSPipe, error) {
	k := &tlsLayer{loop: new(loop), nc: nc}
	k.tls = tls.Server((*tlsPipe)(k), config)
	if err := k.tls.Handshake(); err != nil {
		return nil, err
	}
	k.nc = nil
	return &TLSPipe{k}, nil
}

// Feed lends b to crypto/tls and returns what it makes of that, until it is dry.
func (p *TLSPipe) Feed(b []byte) (plain []byte, err error) {
	p.layer.in = b
	buf := make([]byte, maxRecord)
	for {
		n, err := p.layer.tls.Read(buf)
		plain = append(plain, buf[:n]...)
		if err == errDry {
			return plain, nil
		}
		if err != nil {
			return plain, err
		}
	}
}

// Seal returns what goes over the wire for b.
func (p *TLSPipe) Seal(b []byte) ([]byte, error) {
	p.layer.loop.sealed = nil
	_, err := p.layer.tls.Write(b)
	return p.layer.loop.sealed, err
}

// FirstRecord is what the loop makes of the first bytes of a connection.
var FirstRecord = firstRecord

// ErrPlainHTTP and ErrNotTLS are its verdicts.
var (
	ErrPlainHTTP = errPlainHTTP
	ErrNotTLS    = errNotTLS
)
