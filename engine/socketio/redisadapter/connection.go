package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/redis/rueidis"
)

// connector makes the client when Redis can first be reached, and finds the nodes of a
// Redis Cluster. Safe for concurrent use.
type connector struct {
	option rueidis.ClientOption // immutable
	own    bool                 // the client is the Fleet's; immutable
	hangUp context.CancelFunc   // cuts the connections of a client of the Fleet's own; immutable

	dialing sync.Mutex // held while a client is made
	mu      sync.Mutex
	client  rueidis.Client // nil until the first success; guarded by mu
	closed  bool           // guarded by mu
}

// Errors of connections.
var (
	// ErrClosed is what a Fleet says that has been closed.
	ErrClosed = errors.New("redisadapter: closed")
	// ErrNotConnected is why a Fleet is not ready that has not reached Redis yet.
	ErrNotConnected = errors.New("redisadapter: not connected")
)

func newConnector(o *Options) (*connector, error) {
	if o.Client != nil {
		return &connector{client: o.Client, hangUp: func() {}}, nil
	}
	option, err := o.clientOption()
	if err != nil {
		return nil, err
	}
	c := &connector{own: true}
	var ctx context.Context
	ctx, c.hangUp = context.WithCancel(context.Background())
	option.DialCtxFn = until(ctx, option)
	c.option = option
	return c, nil
}

// now returns the client without waiting for anything.
func (c *connector) now() (rueidis.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return nil, ErrClosed
	case c.client == nil:
		return nil, ErrNotConnected
	}
	return c.client, nil
}

// connect returns the client, and makes it where that was not possible before. It may
// take as long as dialling takes.
func (c *connector) connect() (rueidis.Client, error) {
	c.dialing.Lock()
	defer c.dialing.Unlock()
	if client, err := c.now(); !errors.Is(err, ErrNotConnected) {
		return client, err
	}
	client, err := rueidis.NewClient(c.option)
	if err != nil {
		if client != nil {
			client.Close()
		}
		return nil, fmt.Errorf("redisadapter: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		client.Close()
		return nil, ErrClosed
	}
	c.client = client
	return client, nil
}

func (c *connector) close() {
	c.mu.Lock()
	client, own := c.client, c.own && !c.closed
	c.closed = true
	c.mu.Unlock()
	if client != nil && own {
		client.Close()
	}
	if own {
		c.hangUp()
	}
}

// nodes returns the nodes of a Redis Cluster in the order of their addresses, or the
// one that there is.
func nodes(client rueidis.Client) []rueidis.Client {
	if client.Mode() != rueidis.ClientModeCluster {
		return []rueidis.Client{client}
	}
	all := client.Nodes()
	ordered := make([]rueidis.Client, 0, len(all))
	for _, address := range slices.Sorted(maps.Keys(all)) {
		ordered = append(ordered, all[address])
	}
	return ordered
}

// node returns the node that pub/sub of a Redis Cluster goes through, which may be any
// of them: what one server sends is in order if all of it goes through one. Each attempt
// returns another.
func node(client rueidis.Client, attempt int) (rueidis.Client, error) {
	all := nodes(client)
	if len(all) == 0 {
		return nil, ErrNotConnected
	}
	return all[attempt%len(all)], nil
}

// numsub returns how many connections have subscribed to a channel, on all nodes
// together.
func (c *connector) numsub(ctx context.Context, channel string, sharded bool) (int, error) {
	client, err := c.now()
	if err != nil {
		return 0, err
	}
	sum := 0
	for _, n := range nodes(client) {
		subcommand := "NUMSUB"
		if sharded {
			subcommand = "SHARDNUMSUB"
		}
		counts, err := n.Do(ctx, n.B().Arbitrary("PUBSUB", subcommand).Args(channel).ReadOnly()).AsIntMap()
		if err != nil {
			return 0, fmt.Errorf("redisadapter: counting servers: %w", err)
		}
		sum += int(counts[channel])
	}
	return sum, nil
}

// identity is what Redis calls one connection.
type identity struct{ id, address string }

// introduce returns the identity of a connection, and has Redis forget its predecessor:
// what was sent over that and is not done yet never will be, so that nothing overtakes
// anything, and nobody counts it as a subscriber any more. A Redis that does not let us
// gets no such order.
func introduce(ctx context.Context, d rueidis.DedicatedClient, predecessor identity) identity {
	if predecessor.id != "" {
		// The address makes sure that it is not somebody else's since Redis was started
		// anew.
		_ = d.Do(ctx, d.B().Arbitrary("CLIENT", "KILL", "ID").Args(predecessor.id, "ADDR", predecessor.address).Build()).Error()
	}
	info, err := d.Do(ctx, d.B().Arbitrary("CLIENT", "INFO").Build()).ToString()
	if err != nil {
		return identity{}
	}
	var own identity
	for field := range strings.FieldsSeq(info) {
		switch name, value, _ := strings.Cut(field, "="); name {
		case "id":
			own.id = value
		case "addr":
			own.address = value
		}
	}
	if own.id == "" || own.address == "" {
		return identity{}
	}
	return own
}
