package engine_test

import (
	"bufio"
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// nameSeen is whose certificate a new client is shown.
func (f *fixture) nameSeen() string {
	f.t.Helper()
	c, err := f.dialTLS(clientTLS())
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

// A certificate is replaced without a drop: who is connected stays, who comes sees the
// new one, and a broken file changes nothing.
func TestACertificateIsReplacedWithoutADrop(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writeKeyPair(t, dir, "first.test")
	cert, err := engine.CertificateFiles(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	f := start(t, engine.Options{TLS: &tls.Config{GetCertificate: cert.GetCertificate}})
	var clients []*wsConn
	var sessions []*recorder
	for range 10 {
		c, o := f.openWS()
		clients, sessions = append(clients, c), append(sessions, f.session(o.SID))
	}
	all := func() {
		t.Helper()
		for i, c := range clients {
			f.echoes(c, sessions[i])
		}
	}
	if got := f.nameSeen(); got != "first.test" {
		t.Fatal(got)
	}
	writeKeyPair(t, dir, "second.test")
	if err := cert.Reload(); err != nil {
		t.Fatal(err)
	}
	if got := f.nameSeen(); got != "second.test" {
		t.Fatal(got)
	}
	all()
	if err := os.WriteFile(keyFile, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cert.Reload(); err == nil || cert.Err() == nil {
		t.Error("a broken key was taken")
	}
	if got := f.nameSeen(); got != "second.test" {
		t.Fatal(got)
	}
	writeKeyPair(t, dir, "third.test") // nobody says so: it is seen by itself
	until(t, "the new certificate is found", func() bool { return f.nameSeen() == "third.test" })
	if err := cert.Err(); err != nil {
		t.Error(err)
	}
	all()
}

// Files that are replaced one after the other do not fit for a moment. That is no
// reason to refuse anybody.
func TestHalfAReplacedCertificateIsNotUsed(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writeKeyPair(t, dir, "first.test")
	cert, err := engine.CertificateFiles(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	newCert, newKey := keyPair(t, "second.test")
	write := func(file string, b []byte, stamp time.Time) {
		t.Helper()
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
	name := func() string {
		c, err := cert.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.Subject.CommonName
	}
	write(certFile, newCert, time.Now().Add(time.Minute))
	until(t, "the misfit is noticed", func() bool { return name() == "first.test" && cert.Err() != nil })
	write(keyFile, newKey, time.Now().Add(2*time.Minute))
	until(t, "both are used", func() bool { return name() == "second.test" && cert.Err() == nil })
}

func TestCertificateFilesMustBeThere(t *testing.T) {
	dir := t.TempDir()
	if _, err := engine.CertificateFiles(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")); err == nil {
		t.Error("no error")
	}
	certFile, keyFile := writeKeyPair(t, dir, "x.test")
	cert, err := engine.CertificateFiles(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	if err := cert.Reload(); err == nil {
		t.Error("no error")
	}
	if c, err := cert.GetCertificate(nil); c == nil || err != nil {
		t.Errorf("%v, %v: the old one stays", c, err)
	}
}

// A session over one TLS connection after the other, on whatever loop they arrive:
// the connection, with its keys and its sequence numbers, goes to the session's loop.
func TestTLSMovesBetweenLoops(t *testing.T) {
	f := startTLS(t, engine.Options{Loops: 2})
	for range 4 {
		_, o := f.openPolling()
		r := f.session(o.SID)
		url := pollURL + "&sid=" + o.SID
		for range 6 {
			c, err := f.dialTLS(clientTLS())
			if err != nil {
				t.Fatal(err)
			}
			raw := &rawConn{Conn: c, t: t, br: bufio.NewReader(c)}
			raw.write("POST " + url + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n4a" +
				"POST " + url + " HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n4b")
			raw.read("POST")
			raw.read("POST")
			if got := receive(t, r.texts) + receive(t, r.texts); got != "ab" {
				t.Fatal(got)
			}
			r.send("down")
			if got := raw.do("GET", url, "").body; got != "4down" {
				t.Fatal(got)
			}
		}
	}
	if st := f.srv.Stats(); st.Accepted < 4*7+2 {
		t.Skipf("no connection had to move: %d arrivals", st.Accepted)
	}
}
