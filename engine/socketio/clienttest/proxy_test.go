package clienttest_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// network is what is between clients and a server: it can break.
type network struct {
	url    string
	server string

	mu     sync.Mutex
	links  map[*link]bool // guarded by mu
	closed bool           // guarded by mu: whoever connects is hung up on
	open   sync.WaitGroup
}

// link is one connection through it.
type link struct {
	client, server net.Conn
	stranded       bool // guarded by network.mu: the server does not learn of the client's end
}

func connectTo(t *testing.T, server string) *network {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &network{url: "http://" + l.Addr().String(), server: server, links: make(map[*link]bool)}
	n.open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n.open.Go(func() { n.carry(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		n.down()
		n.open.Wait()
	})
	return n
}

// carry forwards both ways until one side is closed.
func (n *network) carry(client net.Conn) {
	server, err := net.Dial("tcp", n.server)
	if err != nil {
		_ = client.Close()
		return
	}
	k := &link{client: client, server: server}
	n.mu.Lock()
	if n.links[k] = true; n.closed {
		k.cut()
	}
	n.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(server, client); n.ended(k) })
	both.Go(func() { _, _ = io.Copy(client, server); n.ended(k) })
	both.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !k.stranded {
		delete(n.links, k)
	}
}

// ended tells each side of the end of the other.
func (n *network) ended(k *link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !k.stranded {
		k.cut()
	}
}

func (k *link) cut() {
	_ = k.client.Close()
	_ = k.server.Close()
}

// down cuts every connection, and each that is made before up.
func (n *network) down() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for k := range n.links {
		k.cut()
	}
}

func (n *network) up() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = false
}

// strand cuts the clients off, and the server does not learn of it.
func (n *network) strand() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for k := range n.links {
		k.stranded = true
		_ = k.client.Close()
	}
}

// cutOne cuts any one connection; false where there is none.
func (n *network) cutOne() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for k := range n.links {
		k.cut()
		return true
	}
	return false
}
