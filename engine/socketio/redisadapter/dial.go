package redisadapter

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/redis/rueidis"
)

type dialFunc func(ctx context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error)

// until makes connections that are cut, and attempts that are given up, when ctx is done:
// a client waits for a Redis that says nothing for longer than a Fleet may when it is
// closed.
func until(ctx context.Context, option rueidis.ClientOption) dialFunc {
	dial := option.DialCtxFn
	if dial == nil {
		dial = dialTCP
	}
	return func(own context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
		own, cancel := context.WithCancel(own)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		c, err := dial(own, address, dialer, config)
		if err != nil {
			return nil, err
		}
		return &connection{c, context.AfterFunc(ctx, func() { _ = c.Close() })}, nil
	}
}

// dialTCP is what rueidis does by itself.
func dialTCP(ctx context.Context, address string, dialer *net.Dialer, config *tls.Config) (net.Conn, error) {
	if config == nil {
		return dialer.DialContext(ctx, "tcp", address)
	}
	return (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(ctx, "tcp", address)
}

// connection is one that until has made.
type connection struct {
	net.Conn
	forget func() bool // that it was to be cut
}

// Close implements net.Conn.
func (c *connection) Close() error {
	c.forget()
	return c.Conn.Close()
}
