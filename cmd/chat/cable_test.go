package main_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// cable is a network between a browser and the program that can be cut.
type cable struct {
	url string

	mu    sync.Mutex
	conns map[net.Conn]bool // guarded by mu
	whole bool              // guarded by mu
}

func newCable(t *testing.T, url string) *cable {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{url: "http://" + ln.Addr().String(), conns: make(map[net.Conn]bool), whole: true}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.carry(near, strings.TrimPrefix(url, "http://")) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		c.cut()
		all.Wait()
	})
	return c
}

// carry joins two connections until one of them ends.
func (c *cable) carry(near net.Conn, address string) {
	defer func() { _ = near.Close() }()
	far, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	if !c.enter(near, far) {
		return
	}
	defer c.leave(near, far)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_, _ = near.Close(), far.Close()
		})
	}
	both.Wait()
}

func (c *cable) enter(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		if c.whole {
			c.conns[conn] = true
		}
	}
	return c.whole
}

func (c *cable) leave(conns ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		delete(c.conns, conn)
	}
}

// cut ends every connection, and lets none through until mend.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.whole = false
	for conn := range c.conns {
		_ = conn.Close()
	}
}

func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.whole = true
}
