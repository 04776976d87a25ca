package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
func (a *apiParts) read(c *config.Config) (err error) {
	if a.keys, err = c.API.Keys(); err != nil {
		return err
	}
	a.certificate, err = readCertificate("api-tls", c.API.APITLSCert, c.API.APITLSKey)
	return err
}

// change is what SIGHUP does: the keys are replaced, if there are any.
func (a *apiParts) change(c *config.Config) (func(), error) {
	if a.server == nil {
		return func() {}, nil
	}
	keys, err := c.API.Keys()
	if err == nil && len(keys) == 0 {
		err = errors.New("--api-key and --api-key-file are both gone: nobody could use the API; with --api=off it ends at the next start")
	}
	return func() { a.server.SetKeys(keys) }, err
}

// make makes the API for the program's server, where it is not off.
func (a *apiParts) make(p *parts) {
	if p.config.API.Address() == "" {
		return
	}
	o := api.Options{
		Server: p.server,
		Keys:   a.keys,
		Chat:   &apiChat{p.history, p.chat.Publish},
		User: func(s *socketio.Socket) (id, name string) {
			who := auth.Of(s)
			return who.Subject, who.Name
		},
		TLS:     tlsOf(a.certificate),
		Version: readBuild().Version,
		Logger:  p.log,
	}
	a.server = api.New(o)
}

// start serves the API until ctx is done or stop called. The channel carries the end's
// error, and is closed then; at once where the API is switched off.
func (a *apiParts) start(ctx context.Context, p *parts, out io.Writer) (ended chan error, stop context.CancelFunc, err error) {
	ended = make(chan error, 1)
	ctx, stop = context.WithCancel(ctx)
	if a.server == nil {
		close(ended)
		return ended, stop, nil
	}
	l, err := a.listen(p, out)
	if err != nil {
		stop()
		return nil, nil, err
	}
	go func() {
		defer close(ended)
		err := a.server.Serve(ctx, l)
		if err != nil {
			p.log.Error("the API has ended", "error", err)
		}
		ended <- err
	}()
	return ended, stop, nil
}

// listen opens the API's address, and prints it.
func (a *apiParts) listen(p *parts, out io.Writer) (net.Listener, error) {
	address, scheme := p.config.API.Address(), "http"
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the API's address %s is in use: choose another with --api, or --api=off (%w)", address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("the API's address %s does not work: give another with --api, such as %s, or --api=off (%w)", address, config.DefaultAPI, err)
	}
	if a.certificate != nil {
		scheme = "https"
	} else if at, ok := l.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		p.log.Warn("the API's key crosses the network as plain text; give a certificate with --api-tls-cert and --api-tls-key", "address", at.String())
	}
	fmt.Fprintf(out, "api:   %s://%s/\n", scheme, l.Addr())
	return l, nil
}
