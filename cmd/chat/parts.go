package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"

	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/cmd/chat/socketlog"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/forward"
)

// parts are what the program consists of.
type parts struct {
	config  *config.Config
	options []config.Option // the same, as a list
	log     *slog.Logger
	level   *slog.LevelVar
	debug   *slog.Logger // lets everything through

	certificate *socketio.Certificate // nil without TLS
	api         apiParts
	guard       *auth.Guard
	fleet       fleet                      // there when it runs; nil for a server that is alone
	forward     *forward.Forwarder         // likewise; nil where the balancer is sticky, too
	history     *history.History           // there when it runs
	server      *socketio.Server           // likewise
	chat        *conversation.Conversation // likewise
	ready       *readiness
	sockets     *socketlog.Log // likewise
	adminUI     *adminui.UI    // likewise; nil where it is off
}

// newParts reads what the configuration names: files. Nothing runs yet.
func newParts(c *config.Config) (*parts, error) {
	p := &parts{config: c, level: new(slog.LevelVar), ready: newReadiness()}
	p.level.Set(c.Logging.LogLevel)
	p.log = c.Logging.Logger(os.Stderr, p.level)
	p.debug = c.Logging.Logger(os.Stderr, slog.LevelDebug)
	var err error
	if p.certificate, err = readCertificate("tls", c.Listen.TLSCert, c.Listen.TLSKey); err != nil {
		return nil, err
	}
	if err := p.api.read(c); err != nil {
		return nil, err
	}
	if p.guard, err = auth.New(authOptions(&c.Auth, p.log)); err != nil {
		return nil, err
	}
	return p, nil
}

// readCertificate reads what the options --…-cert and --…-key name; nil where they name nothing.
func readCertificate(option, certFile, keyFile string) (*socketio.Certificate, error) {
	if certFile == "" {
		return nil, nil
	}
	c, err := socketio.CertificateFiles(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("give a certificate and its key in PEM with --%s-cert and --%s-key (%w)", option, option, err)
	}
	return c, nil
}

// tlsOf is for a listener with that certificate; nil for plain http.
func tlsOf(c *socketio.Certificate) *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{GetCertificate: c.GetCertificate}
}

// changes are what SIGHUP may change while the server runs.
func (p *parts) changes() []change {
	return []change{
		func(c *config.Config) (func(), error) { return func() { p.level.Set(c.Logging.LogLevel) }, nil },
		func(c *config.Config) (func(), error) { return func() { p.server.SetCORS(origins(c)) }, nil },
		func(c *config.Config) (func(), error) {
			return func() { _ = p.server.SetLimits(c.Limits.Engine()) }, nil // they were validated
		},
		p.replaceCertificate,
		p.api.change,
		changeSockets(p.sockets),
		p.replaceKeys, // the last one: it has happened when it returns
	}
}

func (p *parts) replaceCertificate(*config.Config) (func(), error) {
	if p.certificate == nil {
		return func() {}, nil
	}
	// It replaces itself whenever its files are: nothing is lost if another part refuses.
	return func() {}, p.certificate.Reload()
}

func (p *parts) replaceKeys(c *config.Config) (func(), error) {
	return func() {}, p.guard.Reload(authOptions(&c.Auth, p.log))
}
