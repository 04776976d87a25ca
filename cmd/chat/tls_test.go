package main_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writeCertificate puts a self-signed certificate for name into the folder.
func writeCertificate(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
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

func dialTLS(t *testing.T, p *process) *tls.Conn {
	t.Helper()
	c, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(patience))
	return c
}

// page asks for the chat's page over c.
func page(t *testing.T, c *tls.Conn) {
	t.Helper()
	if _, err := c.Write([]byte("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodHead})
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%v, %v", r, err)
	}
}

func TestTLSCertificateIsReadAgainOnSIGHUP(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writeCertificate(t, dir, "first")
	p := start(t, anywhere("--tls-cert="+certFile, "--tls-key="+keyFile))
	if !strings.HasPrefix(p.url, "https://localhost:") {
		t.Fatal(p.url)
	}
	old := dialTLS(t, p)
	page(t, old)
	writeCertificate(t, dir, "second")
	p.signal(syscall.SIGHUP)
	eventually(t, func() error {
		if !strings.Contains(p.log.String(), "read again") {
			return errors.New("SIGHUP was not heard")
		}
		return nil
	})
	if got := dialTLS(t, p).ConnectionState().PeerCertificates[0].Subject.CommonName; got != "second" {
		t.Error(got)
	}
	page(t, old)
	if err := os.WriteFile(keyFile, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	eventually(t, func() error {
		if !strings.Contains(p.log.String(), "stays in use") {
			return errors.New("SIGHUP was not heard")
		}
		return nil
	})
	page(t, dialTLS(t, p))
	page(t, old)
}

func TestTLSFlagsBelongTogether(t *testing.T) {
	certFile, keyFile := writeCertificate(t, t.TempDir(), "x")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--tls-cert=" + certFile}, "belong together"},
		{[]string{"--tls-key=" + keyFile}, "belong together"},
		{[]string{"--tls-cert=" + keyFile, "--tls-key=" + certFile}, "give a certificate and its key"},
	} {
		if code, _, log := fail(t, anywhere(tt.args...)); code == 0 || !strings.Contains(log, tt.want) {
			t.Errorf("%q: exit code %d, %q", tt.args, code, log)
		}
	}
}
