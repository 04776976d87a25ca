package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// Kinds of what a publisher sends.
const (
	publish      uint8 = iota // PUBLISH
	shardPublish              // SPUBLISH
)

// publisher sends what is pushed, in order, over one connection of its own. What has
// been written to a connection that is lost before Redis has said something about it
// may have been done or not: it is given up rather than sent twice.
type publisher struct {
	connector *connector
	outbox    *cluster.Outbox
	gaveUp    func()        // is called when something was; immutable
	unknown   atomic.Uint64 // given up
	refused   atomic.Uint64 // by Redis
	failure   atomic.Pointer[failure]

	// loop-only: of the outbox's goroutine
	connection rueidis.DedicatedClient // nil where there is none
	lost       <-chan error            // is closed when the connection is
	release    func()
	identity   identity
	attempts   int
}

// failure is why nothing can be sent, and since when.
type failure struct {
	err   error
	since time.Time
}

func newPublisher(c *connector, o *Options, gaveUp func()) *publisher {
	p := &publisher{connector: c, gaveUp: gaveUp, attempts: rand.IntN(1 << 16)}
	p.outbox = cluster.NewOutbox(o.Outbox, p.send)
	return p
}

// ErrFull is returned for what there is no room for in the queue.
var ErrFull = errors.New("redisadapter: too much waits to be sent")

// push queues what is to be published on a channel. The body is the publisher's.
func (p *publisher) push(to string, body []byte, volatile bool) error {
	if !p.outbox.Push(cluster.Outgoing{To: to, Kind: publish, Body: body, Volatile: volatile}) {
		return ErrFull
	}
	return nil
}

// send settles all of a batch, or none of it.
func (p *publisher) send(ctx context.Context, batch []cluster.Outgoing) (done int, err error) {
	if err := p.connect(ctx); err != nil {
		p.fail(err)
		return 0, err
	}
	p.failure.Store(nil)
	cmds := make([]rueidis.Completed, len(batch))
	for i, m := range batch {
		cmds[i] = build(p.connection.B(), m)
	}
	// Without a deadline, so that what has been answered is known where the connection
	// is lost half-way. A Redis that says nothing is found out by the client's own
	// PING; see rueidis.ClientOption.ConnWriteTimeout.
	for _, r := range p.connection.DoMulti(ctx, cmds...) {
		switch {
		case r.Error() == nil:
		case r.NonRedisError() == nil:
			p.refused.Add(1)
		default:
			p.unknown.Add(1)
			err = r.Error()
		}
	}
	if err != nil {
		p.disconnect()
		p.fail(err)
		p.gaveUp()
	}
	return len(batch), err
}

func build(b rueidis.Builder, m cluster.Outgoing) rueidis.Completed {
	body := rueidis.BinaryString(m.Body)
	if m.Kind == shardPublish {
		return b.Spublish().Channel(m.To).Message(body).Build()
	}
	return b.Publish().Channel(m.To).Message(body).Build()
}

// connect sees to it that there is a connection that works.
func (p *publisher) connect(ctx context.Context) error {
	if p.lives() {
		return nil
	}
	client, err := p.connector.connect()
	if err != nil {
		return err
	}
	n, err := node(client, p.attempts)
	if err != nil {
		return err
	}
	p.attempts++
	d, release := n.Dedicate()
	hello, cancel := context.WithTimeout(ctx, rueidis.DefaultDialTimeout)
	defer cancel()
	if err := d.Do(hello, d.B().Ping().Build()).Error(); err != nil {
		d.Close()
		release()
		return fmt.Errorf("redisadapter: connecting: %w", err)
	}
	p.identity = introduce(hello, d, p.identity)
	p.connection, p.release = d, release
	p.lost = d.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(rueidis.PubSubMessage) {}})
	return nil
}

// lives reports whether there is a connection. One that was lost while there was nothing
// to send is found out before something is sent in vain: with hooks the client reads all
// the time, and so learns of the end.
func (p *publisher) lives() bool {
	if p.connection == nil {
		return false
	}
	select {
	case <-p.lost:
		p.disconnect()
		return false
	default:
		return true
	}
}

func (p *publisher) disconnect() {
	if p.connection != nil {
		p.connection.Close()
		p.release()
		p.connection = nil
	}
}

func (p *publisher) fail(err error) {
	f := &failure{err: err, since: time.Now()}
	if before := p.failure.Load(); before != nil {
		f.since = before.since
	}
	p.failure.Store(f)
}

// ready says why nothing can be sent.
func (p *publisher) ready() error {
	f := p.failure.Load()
	if f == nil {
		return nil
	}
	return fmt.Errorf("redisadapter: nothing sent for %v: %w", time.Since(f.since).Round(time.Millisecond), f.err)
}

// close sends what waits until ctx is done.
func (p *publisher) close(ctx context.Context) error {
	err := p.outbox.Close(ctx)
	p.disconnect()
	return err
}
