package redistest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy is a way to a server that can be cut. Its methods are safe for concurrent use.
type Proxy struct {
	Addr string // where it listens

	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex
	flow   sync.Cond
	held   bool              // what goes to the target; guarded by mu
	back   bool              // what comes from there is held; guarded by mu
	closed bool              // guarded by mu
	open   map[net.Conn]bool // both ends of each connection; guarded by mu
}

// NewProxy forwards what comes to target, until the test ends.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal("redistest:", err)
	}
	p := &Proxy{Addr: l.Addr().String(), target: target, listener: l, open: make(map[net.Conn]bool)}
	p.flow.L = &p.mu
	p.running.Add(1)
	go p.accept()
	t.Cleanup(p.close)
	return p
}

// Hold forwards nothing more, either way, and closes nothing: what is sent is kept. New
// connections are accepted and get no further.
func (p *Proxy) Hold() { p.set(true, true) }

// HoldAnswers does so with what comes from the target only.
func (p *Proxy) HoldAnswers() { p.set(false, true) }

// Forward goes on, with what was kept first.
func (p *Proxy) Forward() { p.set(false, false) }

func (p *Proxy) set(held, back bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held, p.back = held, back
	p.flow.Broadcast()
}

// Cut ends all connections, and loses what was kept.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
		delete(p.open, c)
	}
	p.flow.Broadcast()
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Cut()
	p.running.Wait()
}

func (p *Proxy) accept() {
	defer p.running.Done()
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Add(1)
		go p.serve(near)
	}
}

// serve is one connection.
func (p *Proxy) serve(near net.Conn) {
	defer p.running.Done()
	if !p.keep(near) {
		return
	}
	defer p.drop(near)
	if !p.wait(near, &p.held) {
		return
	}
	far, err := net.Dial("tcp", p.target)
	if err != nil || !p.keep(far) {
		return
	}
	defer p.drop(far)
	back := make(chan struct{})
	go func() {
		defer close(back)
		p.copy(near, far, &p.back)
		_ = near.Close()
	}()
	p.copy(far, near, &p.held)
	_ = far.Close()
	<-back
}

// copy forwards one direction until one of the ends is closed.
func (p *Proxy) copy(to, from net.Conn, held *bool) {
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 {
			if !p.wait(from, held) {
				return
			}
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if err == io.EOF {
				p.wait(from, held)
			}
			return
		}
	}
}

// wait returns when something may be forwarded; false if the connection was cut.
func (p *Proxy) wait(c net.Conn, held *bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for *held && p.open[c] && !p.closed {
		p.flow.Wait()
	}
	return p.open[c] && !p.closed
}

func (p *Proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = c.Close()
		return false
	}
	p.open[c] = true
	return true
}

func (p *Proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	_ = c.Close()
}
