package config

import (
	"errors"
	"net/netip"

	"github.com/fanfare-go/fanfare/engine"
)

// Proxies is who stands in front of the server, and may say who the clients are.
type Proxies struct {
	TrustedProxy  []string `placeholder:"NETWORK,…" help:"Networks of proxies and balancers whose word on the client's address is believed: addresses, networks, loopback, private. Default: nobody's."`
	ClientHeader  string   `placeholder:"FIELD" help:"The one field in which they name the client: X-Forwarded-For, Forwarded, X-Real-IP or another one with a single address. Default: the first of these three that there is."`
	ProxyProtocol string   `default:"off" enum:"off,optional,required" help:"Whether connections of trusted proxies begin with a header of the PROXY protocol, version 1 or 2: off, optional or required. Required hangs up on everybody else."`
}

func (p *Proxies) validate() error {
	if _, err := networks("--trusted-proxy", p.TrustedProxy); err != nil {
		return err
	}
	if len(p.Trusted()) > 0 {
		return nil
	}
	switch {
	case p.ProxyProtocol != "" && p.ProxyProtocol != engine.ProxyOff.String():
		return errors.New("--proxy-protocol needs --trusted-proxy: whoever is believed to be a proxy can take any address")
	case p.ClientHeader != "":
		return errors.New("--client-header does nothing without --trusted-proxy")
	}
	return nil
}

// Trusted are the networks of TrustedProxy, which was validated.
func (p *Proxies) Trusted() []netip.Prefix {
	all, _ := networks("", p.TrustedProxy)
	return all
}

// Protocol is ProxyProtocol, which was validated.
func (p *Proxies) Protocol() engine.ProxyProtocol {
	mode, _ := engine.ParseProxyProtocol(p.ProxyProtocol)
	return mode
}
