package clienttest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// door is how a house is entered. The zero value is a port of its own.
type door struct {
	mounted    bool // in net/http
	tls        bool
	http2      bool // besides HTTP/1.1, for browsers; not without mounted and tls
	compressed bool // perMessageDeflate, beside the compression of polling that is always on
}

var (
	ownDoor        = door{}
	tlsDoor        = door{tls: true}
	mountedDoor    = door{mounted: true}
	httpsDoor      = door{mounted: true, tls: true}
	http2Door      = door{mounted: true, tls: true, http2: true}
	compressedDoor = door{compressed: true}
	deflatedTLS    = door{tls: true, compressed: true}
	deflatedHTTPS  = door{mounted: true, tls: true, compressed: true}
)

// String is the door's name in the matrix.
func (d door) String() string {
	name := "own port"
	if d.mounted {
		name = "mounted"
	}
	switch {
	case d.http2:
		name += " over HTTP-2"
	case d.tls && d.mounted:
		name += " over HTTPS"
	case d.tls:
		name += " over TLS"
	}
	if d.compressed {
		name += " compressed"
	}
	return name
}

// mount serves the house with an http.Server of its own, whoever is at home, and returns its URL.
func (h *house) mount(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/socket.io/", func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 {
			h.http2.Add(1)
		}
		if server := h.home.Load(); server != nil {
			server.ServeHTTP(w, r)
		} else {
			http.Error(w, "nobody at home", http.StatusServiceUnavailable)
		}
	})
	if h.options.handler != nil {
		mux.Handle("/", h.options.handler)
	}
	s := httptest.NewUnstartedServer(mux)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	if s.EnableHTTP2 = h.options.door.http2; h.options.door.tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s.URL
}

// selfSigned is a certificate for this machine that nobody trusts.
func selfSigned(t testing.TB) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}
