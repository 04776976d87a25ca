package socketio

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/fanfare-go/fanfare/engine"
)

// ListenAndServe serves on the TCP address (":3000") until ctx is done, then shuts
// down within Options.ShutdownTimeout. It returns nil after a graceful stop.
func (v *Server) ListenAndServe(ctx context.Context, addr string) error {
	if err := v.Listen(addr); err != nil {
		return err
	}
	return v.Serve(ctx)
}

// ListenAndServeTLS is ListenAndServe over TLS, with the certificate (and its chain)
// and the key in PEM files. Where they are replaced, new clients get the new ones within a
// second, and nobody is disconnected. The rest of Options.TLS is used as it is; where
// both names are empty, its certificates are, too.
func (v *Server) ListenAndServeTLS(ctx context.Context, addr, certFile, keyFile string) error {
	if err := v.ListenTLS(addr, certFile, keyFile); err != nil {
		return err
	}
	return v.Serve(ctx)
}

// ListenTLS is Listen over TLS, with certificates as in ListenAndServeTLS.
func (v *Server) ListenTLS(addr, certFile, keyFile string) error {
	config := v.options.TLS
	if config == nil {
		config = new(tls.Config)
	}
	if certFile != "" || keyFile != "" {
		cert, err := CertificateFiles(certFile, keyFile)
		if err != nil {
			return err
		}
		config = config.Clone()
		config.Certificates, config.GetCertificate = nil, cert.GetCertificate
	}
	return v.listen(addr, config)
}

// Certificate is a key pair in files that may be replaced while the server runs.
type Certificate = engine.Certificate

// CertificateFiles reads a certificate, with its chain, and its key, in PEM. The
// result's GetCertificate is for Options.TLS; it notices by itself, within a second,
// that the files were replaced, and Reload need not wait for that.
func CertificateFiles(certFile, keyFile string) (*Certificate, error) {
	return engine.CertificateFiles(certFile, keyFile)
}

// Listen binds the TCP address; port 0 takes a free one. From then on clients are
// served, over TLS where Options.TLS says so. Its errors (address in use, too few
// descriptors) say what to do. Serve or Shutdown must follow.
func (v *Server) Listen(addr string) error { return v.listen(addr, v.options.TLS) }

func (v *Server) listen(addr string, config *tls.Config) error {
	return v.start(func() error { return v.engine.ListenTLS(addr, config) })
}

// start makes the workers and has the engine listen, or do without.
func (v *Server) start(listen func() error) error {
	v.starting.Lock()
	defer v.starting.Unlock()
	if v.closed.Load() {
		return ErrServerClosed
	}
	if v.workers.Load() != nil {
		return errAlreadyListening
	}
	workers, err := newPool(v.options.Workers)
	if err != nil {
		return fmt.Errorf("socketio: making the workers: %w", err)
	}
	v.workers.Store(workers)
	if err := listen(); err != nil {
		v.workers.Store(nil)
		_ = workers.close(context.Background()) // idle: nothing to wait for
		return err
	}
	if v.closed.Load() { // Shutdown was called meanwhile, and goes on once we are out of its way
		return ErrServerClosed
	}
	return nil
}

// errAlreadyListening is the engine's word for a second Listen, in ours.
var errAlreadyListening = errors.New("socketio: Listen or Start was called before")

// Addr is where the server listens; nil before Listen.
func (v *Server) Addr() net.Addr { return v.engine.Addr() }

// Serve blocks until ctx is done and the shutdown that follows has finished, or
// until Shutdown was called elsewhere and has: that one takes its own time, until
// ctx is done and Options.ShutdownTimeout over. Serve returns nil after a graceful
// stop, and an error if the event loops failed or the shutdown was cut short.
func (v *Server) Serve(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- v.engine.Serve() }()
	select {
	case <-ctx.Done():
	case err := <-served:
		if !v.closed.Load() {
			return errors.Join(err, v.graceful())
		}
		select {
		case <-ctx.Done():
		case <-v.stopped:
		}
	}
	return v.graceful()
}

// graceful shuts down within Options.ShutdownTimeout, or waits that long for the
// shutdown that is going on.
func (v *Server) graceful() error {
	ctx, cancel := context.WithTimeout(context.Background(), v.options.ShutdownTimeout)
	defer cancel()
	return v.Shutdown(ctx)
}
