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
	if err := p.readCertificate(c); err != nil {
		return nil, err
	}
	if err := p.api.read(c); err != nil {
		return nil, err
	}
	guard, err := auth.New(authOptions(&c.Auth, p.log))
	if err != nil {
		return nil, err
	}
	p.guard = guard
	return p, nil
}

func (p *parts) readCertificate(c *config.Config) (err error) {
	if c.Listen.TLSCert == "" {
		return nil
	}
	p.certificate, err = socketio.CertificateFiles(c.Listen.TLSCert, c.Listen.TLSKey)
	if err != nil {
		return fmt.Errorf("give a certificate and its key in PEM with --tls-cert and --tls-key (%w)", err)
	}
	return nil
}

// tls is the server's; nil for plain http.
func (p *parts) tls() *tls.Config {
	if p.certificate == nil {
		return nil
	}
	return &tls.Config{GetCertificate: p.certificate.GetCertificate}
}

// changes are what SIGHUP may change while the server runs.
func (p *parts) changes() []change {
	return []change{
		func(c *config.Config) (func(), error) { return func() { p.level.Set(c.Logging.LogLevel) }, nil },
		func(c *config.Config) (func(), error) { return func() { p.server.SetCORS(origins(c)) }, nil },
		func(c *config.Config) (func(), error) {
			return func() { _ = p.server.SetLimits(c.Limits.Engine()) }, nil
		}, // they were validated
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
