package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter/embedded"
)

type natsFleet struct {
	*natsadapter.Node
	broker *embedded.Server // nil where it is elsewhere
}

func openNATS(ctx context.Context, c *config.Cluster, log *slog.Logger, o natsadapter.Options) (fleet, error) {
	tlsConfig, err := clusterTLS(c)
	if err != nil {
		return nil, err
	}
	if o.InProcess == nil {
		o.TLS = tlsConfig
	}
	o.Name, o.Cluster, o.Logger = c.ClusterNode, c.ClusterName, log
	if c.ClusterStore != "" {
		o.JetStream = &natsadapter.JetStreamOptions{Replicas: c.ClusterCopies, InMemory: c.ClusterStore == config.StoreMemory}
	}
	n, err := natsadapter.Connect(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("--cluster: %w", err)
	}
	return &natsFleet{Node: n}, nil
}

// openEmbedded runs a broker within the program.
func openEmbedded(ctx context.Context, c *config.Cluster, log *slog.Logger) (fleet, error) {
	o, err := embeddedOptions(c, log)
	if err != nil {
		return nil, err
	}
	broker, err := embedded.Start(o)
	if err != nil {
		return nil, fmt.Errorf("--cluster: %w", err)
	}
	log.Info("the cluster's other servers find this one", "address", broker.ClusterAddr(), "seeds", len(c.ClusterSeeds))
	f, err := openNATS(ctx, c, log, natsadapter.Options{InProcess: broker})
	if err != nil {
		return nil, errors.Join(err, stopBroker(broker))
	}
	f.(*natsFleet).broker = broker
	return f, nil
}

func embeddedOptions(c *config.Cluster, log *slog.Logger) (embedded.Options, error) {
	tlsConfig, err := clusterTLS(c)
	if err != nil {
		return embedded.Options{}, err
	}
	o := embedded.Options{
		Name: c.ClusterNode, ClusterName: c.ClusterName, ClusterAdvertise: c.ClusterAdvertise,
		Seeds: c.ClusterSeeds, ClusterTLS: tlsConfig, Logger: log,
	}
	if c.ClusterStore != "" {
		o.JetStream = &embedded.JetStreamOptions{StoreDir: c.ClusterStore}
	}
	if c.ClusterListen != "off" {
		o.ClusterListen = c.ClusterListen
	}
	if c.ClusterSecret != "" {
		o.Username, o.Password = "fanfare", c.ClusterSecret
	}
	return o, nil
}

// clusterTLS is for both ends of a connection between servers; nil for none.
func clusterTLS(c *config.Cluster) (*tls.Config, error) {
	if c.ClusterTLSCert == "" && c.ClusterTLSCA == "" {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	certificate, err := readCertificate("cluster-tls", c.ClusterTLSCert, c.ClusterTLSKey)
	if err != nil {
		return nil, err
	}
	if certificate != nil {
		t.GetCertificate = certificate.GetCertificate
		t.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return certificate.GetCertificate(nil) }
		t.ClientAuth = tls.RequireAndVerifyClientCert
	}
	if c.ClusterTLSCA == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.ClusterTLSCA)
	if err != nil {
		return nil, fmt.Errorf("--cluster-tls-ca: %w", err)
	}
	t.RootCAs = x509.NewCertPool()
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--cluster-tls-ca: %s has no certificate in PEM", filepath.Base(c.ClusterTLSCA))
	}
	t.ClientCAs = t.RootCAs
	return t, nil
}

// brokerPatience is how long the embedded broker may take to stop.
const brokerPatience = 5 * time.Second

func stopBroker(broker *embedded.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), brokerPatience)
	defer cancel()
	return broker.Shutdown(ctx)
}

// Ready says what is amiss with the connection, or with the broker in the program.
func (f *natsFleet) Ready() error {
	if f.broker == nil {
		return f.Node.Ready()
	}
	return errors.Join(f.Node.Ready(), f.broker.Ready())
}

// Close says goodbye to the others.
func (f *natsFleet) Close() error {
	err := f.Node.Close()
	if f.broker != nil {
		err = errors.Join(err, stopBroker(f.broker))
	}
	return err
}
