package engine

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// certificateCheck is how often a Certificate looks at its files, at most.
const certificateCheck = time.Second

// Certificate is a key pair in files that may be replaced while the server runs: new
// clients get the new one, those that are connected notice nothing. Its methods are
// safe for concurrent use.
//
//	cert, err := engine.CertificateFiles("cert.pem", "key.pem")
//	…
//	engine.Options{TLS: &tls.Config{GetCertificate: cert.GetCertificate}}
type Certificate struct {
	certFile, keyFile string // immutable
	current           atomic.Pointer[tls.Certificate]

	mu     sync.Mutex
	stamp  [2]fileStamp // of the files that current, or failed, comes from; guarded by mu
	failed error        // why they could not be used; guarded by mu
	looked time.Time    // when the files were last looked at; guarded by mu
}

// fileStamp tells whether a file was replaced.
type fileStamp struct {
	modified time.Time
	size     int64
}

// CertificateFiles reads a certificate (with its chain) and its key, in PEM.
func CertificateFiles(certFile, keyFile string) (*Certificate, error) {
	c := &Certificate{certFile: certFile, keyFile: keyFile}
	if err := c.Reload(); err != nil {
		return nil, err
	}
	return c, nil
}

// Reload reads the files again, changed or not. Where that fails, the old certificate
// stays in use, and the error says why.
func (c *Certificate) Reload() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.load(c.stamps())
}

// GetCertificate is for the tls.Config. It looks at the files once a second at most,
// while clients come, and reads them when they were replaced. Where that fails, the
// old certificate stays in use, and Err says why.
func (c *Certificate) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c.mu.TryLock() { // others need not wait for the one who looks
		defer c.mu.Unlock()
		if now := time.Now(); now.Sub(c.looked) >= certificateCheck {
			c.looked = now
			if stamp, err := c.stamps(); err != nil || stamp != c.stamp {
				_ = c.load(stamp, err)
			}
		}
	}
	return c.current.Load(), nil
}

// Err says why the files, as they are, could not be used; nil if they could.
func (c *Certificate) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// stamps looks at the files without reading them.
func (c *Certificate) stamps() (stamp [2]fileStamp, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err2 := os.Stat(name)
		if err2 != nil {
			err = errors.Join(err, err2)
			continue
		}
		stamp[i] = fileStamp{info.ModTime(), info.Size()}
	}
	return stamp, err
}

// load reads the files whose stamps are given; mu is held.
func (c *Certificate) load(stamp [2]fileStamp, err error) error {
	c.stamp, c.failed = stamp, nil
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(c.certFile, c.keyFile); err == nil {
			c.current.Store(&pair)
			return nil
		}
	}
	c.failed = fmt.Errorf("engine: the certificate could not be read: %w", err)
	return c.failed
}
