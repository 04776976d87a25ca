package natsadapter

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
)

// Requests on their way between servers have subjects of their own, which have five or four
// tokens so that they are no others': sio.<cluster>.t.to.<tag>, and sio.<cluster>.t.all for
// everybody. They have a queue of their own, too: what is forwarded for one client does not
// hold up what is for all.
const (
	tunnelTo  = "t.to."
	tunnelAll = "t.all"
)

// maxTunnelled is how many messages may wait to be looked at. A stream has 64 KiB under way
// at most.
const maxTunnelled = 8192

// Carrier returns what package forward needs, with which servers need no sticky sessions. It
// works as long as the Node; each one is for one server.
func (n *Node) Carrier() tunnel.Carrier { return &carrier{node: n} }

type carrier struct {
	node   *Node
	outbox *cluster.Outbox // made by Join
}

// Join implements tunnel.Carrier.
func (c *carrier) Join(tag string, e tunnel.Endpoint) (leave func(), err error) {
	n := c.node
	inbox := make(chan *nats.Msg, maxTunnelled)
	var subs []*nats.Subscription
	for _, subject := range []string{tunnelTo + tag, tunnelAll} {
		s, err := n.nc.ChanSubscribe(n.prefix+subject, inbox)
		if err != nil {
			unsubscribe(subs)
			return nil, fmt.Errorf("natsadapter: subscribing: %w", err)
		}
		subs = append(subs, s)
	}
	c.outbox = cluster.NewOutbox(n.options.Outbox, c.send)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case m := <-inbox:
				e.Receive(m.Data)
			case <-quit:
				return
			}
		}
	}()
	return func() {
		unsubscribe(subs)
		close(quit)
		<-done
		ctx, cancel := context.WithTimeout(context.Background(), n.options.HeartbeatInterval)
		defer cancel()
		_ = c.outbox.Close(ctx) // the goodbye; else the others notice the silence
	}, nil
}

func unsubscribe(subs []*nats.Subscription) {
	for _, s := range subs {
		_ = s.Unsubscribe() // fails where the connection is gone, and it with it
	}
}

// Send implements tunnel.Carrier.
func (c *carrier) Send(to string, b []byte) error {
	subject := tunnelAll
	if to != tunnel.Everybody {
		subject = tunnelTo + to
	}
	if !c.outbox.Push(cluster.Outgoing{To: c.node.prefix + subject, Body: b}) {
		return ErrOutboxFull
	}
	return nil
}

// send is what the Outbox calls. What NATS does not take now is given up: the stream it is
// part of notices.
func (c *carrier) send(_ context.Context, batch []cluster.Outgoing) (done int, err error) {
	for _, o := range batch {
		if e := c.node.nc.Publish(o.To, o.Body); e != nil {
			err = e
		}
	}
	return len(batch), err
}
