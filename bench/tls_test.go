package bench

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/gobwas/ws/wsutil"
)

// tlsMembers is how many connections over TLS the memory benchmark holds: each end of
// a handshake takes a millisecond.
const tlsMembers = 5000

// maxTLSBytes is what an idle connection over TLS may take of the heap, in bytes, with
// everything that a Socket.IO socket needs besides.
const maxTLSBytes = 9 << 10

// BenchmarkIdleTLS holds idle Socket.IO sockets over WebSocket over TLS 1.3, as
// BenchmarkIdleWebSocket does without.
func BenchmarkIdleTLS(b *testing.B) {
	s := make(series)
	for b.Loop() {
		heap, stack, goroutines := weighTLS(b, scaled(tlsMembers))
		s.add("heap-B/conn", heap)
		s.add("stack-B/conn", stack)
		s.add("goroutines", float64(goroutines))
	}
	s.add("ns/op", 0)
	s.report(b)
}

func TestAnIdleTLSConnectionIsSmall(t *testing.T) {
	heap, _, goroutines := weighTLS(t, 500)
	t.Logf("%.0f bytes of heap, %d goroutines more", heap, goroutines)
	if heap > maxTLSBytes {
		t.Errorf("%.0f bytes of heap per connection", heap)
	}
	if goroutines > 20 {
		t.Errorf("%d goroutines more for 500 connections", goroutines)
	}
}

// weighTLS is what n idle connections take of the server, in bytes each.
func weighTLS(b testing.TB, n int) (heap, stack float64, goroutines int) {
	b.Helper()
	server := startSubject(b, subjectTLSVariable+"=1")
	secure := &tls.Config{InsecureSkipVerify: true}
	const first = 16 // the loops and pools that exist once
	clients := dialMany(b, server.addr, secure, first)
	before := server.weigh(b)
	clients = append(clients, dialMany(b, server.addr, secure, n)...)
	after := server.weigh(b)
	if after.Sockets != n+first {
		b.Fatalf("bench: %d sockets", after.Sockets)
	}
	for _, c := range clients {
		must(b, c.nc.Close())
	}
	return (float64(after.Heap) - float64(before.Heap)) / float64(n), (float64(after.Stack) - float64(before.Stack)) / float64(n),
		after.Goroutines - before.Goroutines
}

// BenchmarkEchoTLS has clients in this process emit with an acknowledgement, one at a
// time each, with TLS and without: the CPU is that of both ends.
func BenchmarkEchoTLS(b *testing.B) {
	const clients, trips = 50, 400
	config, err := selfSigned()
	must(b, err)
	var dialled [2][]*tlsClient
	for i, c := range []*tls.Config{nil, config} {
		o := quiet()
		o.TLS = c
		server := socketio.New(o)
		answerEchoes(server)
		must(b, server.Listen("127.0.0.1:0"))
		served := make(chan error, 1)
		go func() { served <- server.Serve(b.Context()) }()
		b.Cleanup(func() { must(b, <-served) })
		var secure *tls.Config
		if c != nil {
			secure = &tls.Config{InsecureSkipVerify: true}
		}
		dialled[i] = dialMany(b, server.Addr().String(), secure, clients)
	}
	s := make(series)
	rounds(b, func() {
		plain := spent(b, func() { echoAll(b, dialled[0], trips) })
		secure := spent(b, func() { echoAll(b, dialled[1], trips) })
		s.perOp(secure, clients*trips)
		s.add("cpu-us/trip", us(secure.cpu, clients*trips))
		s.add("plain-cpu-us/trip", us(plain.cpu, clients*trips))
	})
	s.report(b)
}

// tlsClient is a Socket.IO client over WebSocket that is driven by whoever holds it.
type tlsClient struct {
	nc net.Conn
	rw io.ReadWriter
}

// dialMany connects n clients, some at a time; over TLS where there is a configuration.
func dialMany(b testing.TB, addr string, config *tls.Config, n int) []*tlsClient {
	b.Helper()
	clients, errs := make([]*tlsClient, n), make(chan error, n)
	places := make(chan struct{}, 32)
	for i := range n {
		go func() {
			places <- struct{}{}
			defer func() { <-places }()
			var err error
			clients[i], err = dialClient(addr, config)
			errs <- err
		}()
	}
	for range n {
		must(b, <-errs)
	}
	return clients
}

func dialClient(addr string, config *tls.Config) (*tlsClient, error) {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	_ = nc.SetDeadline(time.Now().Add(5 * time.Minute))
	if config != nil {
		nc = tls.Client(nc, config)
	}
	_, err = io.WriteString(nc, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		return nil, err
	}
	br := bufio.NewReaderSize(nc, 512)
	if r, err := http.ReadResponse(br, nil); err != nil || r.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("bench: %v, %w", r, err)
	}
	c := &tlsClient{nc: nc, rw: struct {
		io.Reader
		io.Writer
	}{br, nc}}
	if _, err := wsutil.ReadServerText(c.rw); err != nil {
		return nil, err
	}
	_, err = c.ask("40", "40")
	return c, err
}

// ask sends a packet and reads until one comes that begins with prefix.
func (c *tlsClient) ask(packet, prefix string) (string, error) {
	if err := wsutil.WriteClientText(c.rw, []byte(packet)); err != nil {
		return "", err
	}
	for {
		got, err := wsutil.ReadServerText(c.rw)
		if err != nil || len(got) >= len(prefix) && string(got[:len(prefix)]) == prefix {
			return string(got), err
		}
	}
}

// echoAll has every client make round trips.
func echoAll(b testing.TB, clients []*tlsClient, trips int) {
	b.Helper()
	var all sync.WaitGroup
	errs := make(chan error, len(clients))
	for _, c := range clients {
		all.Go(func() {
			for range trips {
				if _, err := c.ask(`427["inline","xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]`, "437"); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		must(b, err)
	}
}

// selfSigned is a configuration with a certificate that nobody trusts.
func selfSigned() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, nil
}
