package interop_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// gate is what is in front of a fleet: it leads clients to one server or another, or to none.
type gate struct {
	url     string
	running sync.WaitGroup

	mu     sync.Mutex
	target string            // guarded by mu: an address, or empty
	open   map[net.Conn]bool // guarded by mu
}

func openGate(t *testing.T) *gate {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{url: "http://" + l.Addr().String(), open: map[net.Conn]bool{}}
	g.running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.running.Go(func() { g.carry(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		g.lead("")
		g.running.Wait()
	})
	return g
}

// lead cuts everybody off; who comes from now on is led to the server with this URL, or hung up on.
func (g *gate) lead(url string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.target = strings.TrimPrefix(url, "http://")
	for c := range g.open {
		_ = c.Close()
	}
}

func (g *gate) carry(client net.Conn) {
	defer client.Close() //nolint:errcheck // nothing is lost with it
	g.mu.Lock()
	target := g.target
	g.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close() //nolint:errcheck // nothing is lost with it
	if !g.keep(target, client, server) {
		return
	}
	defer g.drop(client, server)
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(client, server) // until either side is closed
		_ = client.Close()
	}()
	_, _ = io.Copy(server, client)
	_ = server.Close()
	<-back
}

// keep enters a connection, unless it leads where nobody is to go any more.
func (g *gate) keep(target string, both ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if target != g.target {
		return false
	}
	for _, c := range both {
		g.open[c] = true
	}
	return true
}

func (g *gate) drop(both ...net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range both {
		delete(g.open, c)
	}
}
