package redisadapter

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// classic is Mode Classic.
type classic struct{ fleet *Fleet }

func openClassic(f *Fleet) (mode, error) { return &classic{f}, nil }

// shortID is a name such as Node's uid2(6) makes.
func shortID() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	for i := range b {
		b[i] = letters[b[i]%64]
	}
	return string(b[:])
}

func (c *classic) uid() string                 { return shortID() }
func (c *classic) report(*Stats)               {}
func (c *classic) wait(context.Context) error  { return nil }
func (c *classic) ready() error                { return nil }
func (c *classic) close(context.Context) error { return nil }

func (c *classic) open(a *cluster.Adapter) (cluster.Link, error) {
	return newClassicLink(c.fleet, a), nil
}

// classicLink is one namespace. See @socket.io/redis-adapter, index.js.
type classicLink struct {
	fleet   *Fleet
	adapter *cluster.Adapter
	uid     string
	nsp     string

	channel   string // of broadcasts; those to one room have its name and another # behind it
	requests  string
	responses string // of all servers; those to one have its UID and another # behind it
	names     []subscription
}

func newClassicLink(f *Fleet, a *cluster.Adapter) *classicLink {
	nsp, prefix := a.Namespace().Name(), f.options.Prefix
	l := &classicLink{
		fleet: f, adapter: a, uid: a.UID(), nsp: nsp,
		channel:   prefix + "#" + nsp + "#",
		requests:  prefix + "-request#" + nsp + "#",
		responses: prefix + "-response#" + nsp + "#",
	}
	broadcasts := subscription{kind: patternKind, name: escapeGlob(l.channel) + "*"}
	responses := []subscription{{name: l.responses}, {name: l.responses + l.uid + "#"}}
	requests := subscription{name: l.requests, counted: true}
	l.names = append(responses, broadcasts, requests)
	f.subscriber.add(l.broadcast, broadcasts)
	f.subscriber.add(l.response, responses...)
	f.subscriber.add(l.request, requests)
	return l
}

func (l *classicLink) broadcast(channel, message string) {}
func (l *classicLink) request(channel, message string)   {}
func (l *classicLink) response(channel, message string)  {}

// Publish implements cluster.Link.
func (l *classicLink) Publish(*cluster.Message) error { return errors.New("not there yet") }

// Answer implements cluster.Link.
func (l *classicLink) Answer(string, *cluster.Message) error { return errors.New("not there yet") }

// Others implements cluster.Link. Servers have no names here: they are counted by their
// subscriptions.
func (l *classicLink) Others(ctx context.Context) (n int, uids []string, err error) {
	n, err = l.fleet.connector.numsub(ctx, l.requests, false)
	if l.fleet.subscriber.has(subscription{name: l.requests, counted: true}) {
		n--
	}
	return max(n, 0), nil, err
}

// Close implements cluster.Link.
func (l *classicLink) Close() error {
	l.fleet.subscriber.remove(l.names...)
	return nil
}
