package redisadapter

import (
	"context"
	"errors"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
)

// carrierOf carries requests between servers, on channels of its own, which nobody of
// Node's listens to: <prefix>-tunnel#<tag>, and <prefix>-tunnel# for everybody.
type carrierOf struct{ *Fleet }

var errTunnelFull = errors.New("redisadapter: too much waits to be sent for another request")

// joinWithin is how long Join waits for Redis; what comes later comes all the same.
const joinWithin = 2 * time.Second

// Carrier is for package forward, with which servers need no sticky sessions. It works as
// long as the Fleet, whatever its Mode.
func (f *Fleet) Carrier() tunnel.Carrier { return carrierOf{f} }

func (c carrierOf) channel(tag string) string { return c.options.Prefix + "-tunnel#" + tag }

// Join implements tunnel.Carrier.
func (c carrierOf) Join(tag string, e tunnel.Endpoint) (leave func(), err error) {
	names := []subscription{
		{kind: channelKind, name: c.channel(tag)},
		{kind: channelKind, name: c.channel(tunnel.Everybody)},
	}
	c.subscriber.add(func(_, message string) { e.Receive([]byte(message)) }, names...)
	ctx, cancel := context.WithTimeout(context.Background(), joinWithin)
	defer cancel()
	_ = c.subscriber.wait(ctx) // Ready says what is wrong
	return func() { c.subscriber.remove(names...) }, nil
}

// Send implements tunnel.Carrier.
func (c carrierOf) Send(to string, b []byte) error {
	if !c.publisher.outbox.Push(cluster.Outgoing{To: c.channel(to), Kind: publish, Body: b}) {
		return errTunnelFull
	}
	return nil
}
