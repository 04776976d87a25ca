package redisadapter

import (
	"context"
	"crypto/rand"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// classic is Mode Classic.
type classic struct {
	fleet   *Fleet
	limits  parser.Limits // of what others send
	oldWork chan struct{} // holds one for each goroutine that answers an old request
}

// oldWorkers is how many requests of old servers are answered at once; others are not.
const oldWorkers = 16

func openClassic(f *Fleet) (mode, error) {
	return &classic{
		fleet:   f,
		limits:  parser.Limits{Depth: f.options.MaxDepth, Attachments: parser.MaxAttachments},
		oldWork: make(chan struct{}, oldWorkers),
	}, nil
}

// uid is one such as Node's uid2(6) makes.
func (c *classic) uid() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	for i := range b {
		b[i] = letters[b[i]%64]
	}
	return string(b[:])
}

func (c *classic) report(*Stats)               {}
func (c *classic) wait(context.Context) error  { return nil }
func (c *classic) ready() error                { return nil }
func (c *classic) close(context.Context) error { return nil }

func (c *classic) open(a *cluster.Adapter) (cluster.Link, error) {
	l := newClassicLink(c, a)
	l.subscribe()
	return l, nil
}

// classicLink is one namespace. It is safe for concurrent use.
type classicLink struct {
	*classic
	adapter *cluster.Adapter
	nsp     string    // its name
	echo    [2]string // how what it has sent itself begins, on channels of broadcasts and of requests

	channel   string // of broadcasts; those to one room have its name and another # behind it
	requests  string
	responses string // to all servers; those to one have its UID and another # behind it
}

var (
	_ cluster.Link       = (*classicLink)(nil)
	_ cluster.Interested = (*classicLink)(nil)
)

func newClassicLink(c *classic, a *cluster.Adapter) *classicLink {
	nsp, prefix := a.Namespace().Name(), c.fleet.options.Prefix
	return &classicLink{
		classic: c, adapter: a, nsp: nsp,
		echo:      [2]string{"\x93\xa6" + a.UID(), `{"uid":"` + a.UID() + `"`},
		channel:   prefix + "#" + nsp + "#",
		requests:  prefix + "-request#" + nsp + "#",
		responses: prefix + "-response#" + nsp + "#",
	}
}

// names are what is subscribed to.
func (l *classicLink) names() (broadcasts subscription, responses [2]subscription, requests subscription) {
	// The last one is how servers count each other.
	return subscription{kind: patternKind, name: escapeGlob(l.channel) + "*"},
		[2]subscription{{name: l.responses}, {name: l.responses + l.adapter.UID() + "#"}},
		subscription{name: l.requests, counted: true}
}

func (l *classicLink) subscribe() {
	broadcasts, responses, requests := l.names()
	s := l.fleet.subscriber
	s.add(l.broadcast, broadcasts)
	s.add(l.response, responses[:]...)
	s.add(l.request, requests)
}

// Close implements cluster.Link.
func (l *classicLink) Close() error {
	broadcasts, responses, requests := l.names()
	l.fleet.subscriber.remove(requests, broadcasts, responses[0], responses[1])
	return nil
}

// Enter implements cluster.Interested: so that the adapter knows what is Occupied.
func (l *classicLink) Enter(string) {}

// Leave implements cluster.Interested.
func (l *classicLink) Leave(string) {}

// Publish implements cluster.Link.
func (l *classicLink) Publish(m *cluster.Message) error {
	to := l.requests
	if m.Type == cluster.Broadcast && m.RequestID == "" {
		to = l.channelOf(m.Opts.Rooms)
	}
	return l.push(to, m)
}

// channelOf returns the channel of a broadcast to these rooms.
func (l *classicLink) channelOf(rooms []string) string {
	if len(rooms) == 1 {
		return l.channel + rooms[0] + "#"
	}
	return l.channel
}

// Answer implements cluster.Link. Node's servers send what is answered to serverSideEmit
// to everybody, always.
func (l *classicLink) Answer(uid string, m *cluster.Message) error {
	if m.Type == cluster.ServerSideEmitResponse {
		return l.push(l.responses, m)
	}
	return l.push(l.responsesTo(uid), m)
}

func (l *classicLink) responsesTo(uid string) string {
	if l.fleet.options.SpecificResponses && uid != "" {
		return l.responses + uid + "#"
	}
	return l.responses
}

func (l *classicLink) push(to string, m *cluster.Message) error {
	body, err := classicBody(m, l.nsp)
	if err != nil {
		return err
	}
	return l.fleet.publisher.push(to, body, m.Opts.Flags.Volatile)
}

// Others implements cluster.Link. Servers have no names here: they are counted by their
// subscriptions to the channel of requests.
func (l *classicLink) Others(ctx context.Context) (n int, uids []string, err error) {
	_, _, requests := l.names()
	own := l.fleet.subscriber.has(requests)
	n, err = l.fleet.connector.numsub(ctx, l.requests, false)
	if own {
		n--
	}
	return max(n, 0), nil, err
}
