package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"syscall"

	"github.com/fanfare-go/fanfare/cmd/chat/api"
	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// apiParts are what the publishing API needs, and the API once it is there.
type apiParts struct {
	keys        []string
	certificate *socketio.Certificate // nil without TLS
	server      *api.Server           // nil where it is off
}

// read reads the files that the options name.
func (p *apiParts) read(c *config.Config) (err error) {
	if p.keys, err = c.API.Keys(); err != nil {
		return err
	}
	if c.API.APITLSCert == "" {
		return nil
	}
	p.certificate, err = socketio.CertificateFiles(c.API.APITLSCert, c.API.APITLSKey)
	if err != nil {
		return fmt.Errorf("give a certificate and its key in PEM with --api-tls-cert and --api-tls-key (%w)", err)
	}
	return nil
}

// change is what SIGHUP does: the keys are replaced, if there are any.
func (p *apiParts) change(c *config.Config) (func(), error) {
	if p.server == nil {
		return func() {}, nil
	}
	keys, err := c.API.Keys()
	if err == nil && len(keys) == 0 {
		err = errors.New("--api-key and --api-key-file are both gone: nobody could use the API; with --api=off it ends at the next start")
	}
	return func() { p.server.SetKeys(keys) }, err
}

// make makes the API for a server, where it is not off.
func (p *apiParts) make(c *config.Config, server *socketio.Server, chat api.Chat, log *slog.Logger) {
	if c.API.Address() == "" {
		return
	}
	o := api.Options{
		Server: server,
		Keys:   p.keys,
		Chat:   chat,
		User: func(s *socketio.Socket) (id, name string) {
			who := auth.Of(s)
			return who.Subject, who.Name
		},
		Logger: log,
	}
	if p.certificate != nil {
		o.TLS = &tls.Config{GetCertificate: p.certificate.GetCertificate}
	}
	p.server = api.New(o)
}

// start serves the API until ctx is done. What it returns carries the end's error, and is
// closed at once where it is switched off.
func (p *apiParts) start(ctx context.Context, c *config.Config, out io.Writer, log *slog.Logger) (<-chan error, error) {
	ended := make(chan error, 1)
	if p.server == nil {
		close(ended)
		return ended, nil
	}
	address, scheme := c.API.Address(), "http"
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the API's address %s is in use: choose another with --api, or --api=off (%w)", address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("the API's address %s does not work: give another with --api, such as %s, or --api=off (%w)", address, config.DefaultAPI, err)
	}
	if p.certificate != nil {
		scheme = "https"
	} else if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		log.Warn("the API's key crosses the network as plain text; give a certificate with --api-tls-cert and --api-tls-key", "address", a.String())
	}
	fmt.Fprintf(out, "api:   %s://%s/\n", scheme, l.Addr())
	go func() { ended <- p.server.Serve(ctx, l) }()
	return ended, nil
}
