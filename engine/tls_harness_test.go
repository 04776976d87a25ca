package engine_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// everythingOverTLS makes every server of this package's tests speak TLS, and every
// client: see TestTheOtherTestsPassOverTLS.
var everythingOverTLS = os.Getenv("FANFARE_TEST_TLS") != ""

// keyPair makes a self-signed certificate for the name and 127.0.0.1, in PEM.
func keyPair(t testing.TB, name string) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// certificate makes one that servers use as it is.
func certificate(t testing.TB, name string) tls.Certificate {
	t.Helper()
	c, err := tls.X509KeyPair(keyPair(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var sharedCertificate = sync.OnceValues(func() (tls.Certificate, error) {
	return tls.X509KeyPair(keyPair(nopTB{}, "localhost"))
})

// nopTB lets keyPair be used where there is no test: it cannot fail there.
type nopTB struct{ testing.TB }

func (nopTB) Helper()           {}
func (nopTB) Fatal(args ...any) { panic(args) }

// serverTLS is a configuration for servers that nobody looks at closely.
func serverTLS(t testing.TB) *tls.Config {
	t.Helper()
	c, err := sharedCertificate()
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{c}}
}

// clientTLS trusts everybody: the tests do not test crypto/tls.
func clientTLS() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// writeKeyPair puts a new certificate for name into the folder's cert.pem and key.pem.
func writeKeyPair(t testing.TB, dir, name string) (certFile, keyFile string) {
	t.Helper()
	cert, key := keyPair(t, name)
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, b := range map[string][]byte{certFile: cert, keyFile: key} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}
