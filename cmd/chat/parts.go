package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// parts are what the options name outside of them: files that were read. Nothing runs yet.
type parts struct {
	log         *slog.Logger
	level       *slog.LevelVar
	certificate *socketio.Certificate // nil without TLS
}

// newParts reads what the configuration names.
func newParts(c *config.Config) (*parts, error) {
	p := &parts{level: new(slog.LevelVar)}
	p.level.Set(c.Logging.LogLevel)
	p.log = c.Logging.Logger(os.Stderr, p.level)
	if err := p.readCertificate(c); err != nil {
		return nil, err
	}
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
func (p *parts) changes(server *socketio.Server) []change {
	return []change{
		func(c *config.Config) (func(), error) { return func() { p.level.Set(c.Logging.LogLevel) }, nil },
		func(c *config.Config) (func(), error) { return func() { server.SetCORS(corsOf(c)) }, nil },
		p.replaceCertificate,
	}
}

func (p *parts) replaceCertificate(*config.Config) (func(), error) {
	if p.certificate == nil {
		return func() {}, nil
	}
	// It replaces itself whenever its files are: nothing is lost if another part refuses.
	return func() {}, p.certificate.Reload()
}
