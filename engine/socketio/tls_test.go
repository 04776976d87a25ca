package socketio_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// writeKeyPair puts a self-signed certificate for name into the folder.
func writeKeyPair(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// ListenAndServeTLS serves files, notices new ones by itself, and stops gracefully; a
// handshake says that it was secure.
func TestListenAndServeTLS(t *testing.T) {
	t.Parallel()
	certFile, keyFile := writeKeyPair(t, t.TempDir(), "first")
	handshakes := make(chan *socketio.Handshake, 1)
	v := socketio.New(quiet(socketio.Options{TLS: &tls.Config{MinVersion: tls.VersionTLS13}}))
	v.OnConnect(func(_ context.Context, s *socketio.Socket) error {
		handshakes <- s.Handshake()
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	served := make(chan error, 1)
	addr := freeAddr(t)
	go func() { served <- v.ListenAndServeTLS(ctx, addr, certFile, keyFile) }()
	eventually(t, "it listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	dial := func() *tls.Conn {
		t.Helper()
		c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(patience))
		return c
	}
	do := func(c *tls.Conn, br *bufio.Reader, method, query, body string) (text string) {
		t.Helper()
		_, err := fmt.Fprintf(c, "%s /socket.io/?EIO=4&transport=polling%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", method, query, len(body), body)
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		_, _ = fmt.Fscan(r.Body, &text)
		return text
	}
	c := dial()
	br := bufio.NewReader(c)
	open := do(c, br, "GET", "", "")
	sid := open[len(`0{"sid":"`):][:20]
	do(c, br, "POST", "&sid="+sid, "40")
	if h := receive(t, handshakes); !h.Secure {
		t.Errorf("%+v", h)
	}
	name := func() string { return dial().ConnectionState().PeerCertificates[0].Subject.CommonName }
	if got := name(); got != "first" {
		t.Error(got)
	}
	writeKeyPair(t, filepath.Dir(certFile), "second")
	eventually(t, "the new certificate is found", func() bool { return name() == "second" })
	cancel()
	if err := receive(t, served); err != nil {
		t.Error(err)
	}
}

func TestListenAndServeTLSNeedsFiles(t *testing.T) {
	v := socketio.New(quiet(socketio.Options{}))
	if err := v.ListenAndServeTLS(t.Context(), "127.0.0.1:0", "no such file", "nor this"); err == nil {
		t.Error("no error")
	}
	if err := v.ListenAndServeTLS(t.Context(), "127.0.0.1:0", "", ""); err == nil {
		t.Error("no error without certificates")
	}
}
