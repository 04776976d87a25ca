package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// serverTLS reads the certificate; nil where none was asked for. Until ctx is done,
// SIGHUP has it read again: where that fails, the old one stays, and the log says why.
func serverTLS(ctx context.Context, c *config.Config, log *slog.Logger) (*tls.Config, error) {
	if c.Listen.TLSCert == "" {
		return nil, nil
	}
	cert, err := socketio.CertificateFiles(c.Listen.TLSCert, c.Listen.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("give a certificate and its key in PEM with --tls-cert and --tls-key (%w)", err)
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hup)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
			}
			if err := cert.Reload(); err != nil {
				log.Error("the old certificate stays in use", "error", err)
			} else {
				log.Info("the certificate was read again")
			}
		}
	}()
	return &tls.Config{GetCertificate: cert.GetCertificate}, nil
}
