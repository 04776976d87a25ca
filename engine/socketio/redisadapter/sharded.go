package redisadapter

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// sharded is Mode Sharded: createShardedAdapter of @socket.io/redis-adapter.
type sharded struct {
	fleet    *Fleet
	channels *shardChannels
}

// openSharded makes a Fleet of Mode Sharded.
func openSharded(f *Fleet) (mode, error) {
	return &sharded{f, newShardChannels(f.subscriber)}, nil
}

func (s *sharded) uid() string                 { return cluster.NewUID() }
func (s *sharded) report(*Stats)               {}
func (s *sharded) close(context.Context) error { return nil }

// ErrSeveralMasters is why Mode Sharded does not work over a Redis Cluster: each of its
// masters has some of the channels, and one connection is not enough.
var ErrSeveralMasters = errors.New("redisadapter: Mode Sharded works with a Redis Cluster of one master only")

// wait implements mode.
func (s *sharded) wait(context.Context) error { return s.ready() }

// ready implements mode.
func (s *sharded) ready() error {
	client, err := s.fleet.connector.now()
	if err != nil || client.Mode() != rueidis.ClientModeCluster {
		return nil // others say what is wrong
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	info, err := client.Do(ctx, client.B().ClusterInfo().Build()).ToString()
	if err == nil && !strings.Contains(info, "cluster_size:1\r") {
		return ErrSeveralMasters
	}
	return nil
}

func (s *sharded) open(a *cluster.Adapter) (cluster.Link, error) {
	l := newShardedLink(s, a)
	if s.fleet.options.Sharded.Subscriptions == Static {
		return l, nil
	}
	if s.fleet.options.Sharded.Subscriptions == DynamicPrivate {
		return &idsLink{roomsLink: roomsLink{l}, ids: make(map[string]struct{})}, nil
	}
	return &roomsLink{l}, nil
}

// shardedLink is one namespace. Its messages are those of Node's ClusterAdapter: JSON,
// or msgpack where something in them is binary.
type shardedLink struct {
	fleet    *Fleet
	channels *shardChannels
	adapter  *cluster.Adapter
	nsp      string
	public   string // channel of what goes to all servers; a room's has its name and another # behind it
	private  string // channel of the answers for this one
	own      ownSuffix

	closed    atomic.Bool
	receiving sync.Mutex // held while a message is received
}

func newShardedLink(s *sharded, a *cluster.Adapter) *shardedLink {
	nsp := a.Namespace().Name()
	public := s.fleet.options.Prefix + "#" + nsp + "#"
	l := &shardedLink{
		fleet: s.fleet, channels: s.channels, adapter: a, nsp: nsp,
		public: public, private: public + a.UID() + "#",
		own: newOwnSuffix(a.UID(), nsp),
	}
	l.channels.enter(l, l.private, false)
	l.channels.enter(l, l.public, true)
	return l
}

// message takes what came on a channel, whichever it is: a room may be called as some
// server is.
func (l *shardedLink) message(message string) {
	c := &l.fleet.counters
	if l.closed.Load() {
		return
	}
	if l.own.of(message) {
		c.own.Add(1)
		return
	}
	m, nsp, err := parseEither([]byte(message), l.fleet.options.MaxMessage)
	switch {
	case err != nil:
		c.malformed.Add(1)
		l.adapter.Malformed(err)
	case nsp != l.nsp:
		c.elsewhere.Add(1)
	default:
		c.received.Add(1)
		l.receiving.Lock()
		defer l.receiving.Unlock()
		l.adapter.Receive(m)
	}
}

// Publish implements cluster.Link.
func (l *shardedLink) Publish(m *cluster.Message) error { return l.publish(l.channelOf(m), m) }

// Answer implements cluster.Link.
func (l *shardedLink) Answer(uid string, m *cluster.Message) error {
	return l.publish(l.public+uid+"#", m)
}

func (l *shardedLink) publish(channel string, m *cluster.Message) error {
	body, err := appendText(nil, m, l.nsp)
	if err != nil {
		return err
	}
	return l.fleet.push(shardPublish, channel, body, volatile(m))
}

// channelOf is where a message is published.
func (l *shardedLink) channelOf(m *cluster.Message) string {
	if m.Type == cluster.Broadcast && m.RequestID == "" && len(m.Opts.Rooms) == 1 && l.fleet.options.Sharded.Subscriptions.separate(m.Opts.Rooms[0]) {
		return l.public + m.Opts.Rooms[0] + "#"
	}
	return l.public
}

// separate reports whether a room has a channel of its own.
func (s Subscriptions) separate(room string) bool {
	switch s {
	case Dynamic:
		return !looksLikeSocketID(room)
	case DynamicPrivate:
		return true
	default:
		return false
	}
}

// looksLikeSocketID is Node's idea of a socket's id: so many units of UTF-16.
func looksLikeSocketID(room string) bool {
	const size = 20
	if len(room) < size || len(room) > 3*size {
		return false
	}
	units := 0
	for _, r := range room {
		if units++; r > 0xffff {
			units++
		}
	}
	return units == size
}

// Lane implements cluster.Lanes: what goes to a room's channel does not reach everybody.
func (l *shardedLink) Lane(m *cluster.Message) (lane string, counted bool) {
	return "", l.channelOf(m) == l.public
}

// Others implements cluster.Link. Servers have no names here: they are counted by their
// subscriptions.
func (l *shardedLink) Others(ctx context.Context) (n int, uids []string, err error) {
	return l.fleet.others(ctx, shardKind, l.public)
}

// others counts the other subscribers of a channel.
func (f *Fleet) others(ctx context.Context, kind subscriptionKind, channel string) (n int, uids []string, err error) {
	n, err = f.connector.numsub(ctx, channel, kind == shardKind)
	if f.subscriber.has(subscription{kind, channel, true}) || f.subscriber.has(subscription{kind, channel, false}) {
		n--
	}
	return max(n, 0), nil, err
}

// push queues what is to be published.
func (f *Fleet) push(kind uint8, channel string, body []byte, volatile bool) error {
	if !f.publisher.outbox.Push(cluster.Outgoing{To: channel, Kind: kind, Body: body, Volatile: volatile}) {
		return ErrFull
	}
	return nil
}

// volatile reports whether m may be lost rather than others.
func volatile(m *cluster.Message) bool {
	return m.Type == cluster.Broadcast && m.Opts.Flags.Volatile
}

// Close implements cluster.Link. Rooms of sockets that there are still it leaves to the
// end of the Fleet.
func (l *shardedLink) Close() error {
	l.closed.Store(true)
	l.channels.leave(l, l.public)
	l.channels.leave(l, l.private)
	return nil
}

// roomsLink is a shardedLink that subscribes to rooms.
type roomsLink struct{ *shardedLink }

// Enter implements cluster.Interested.
func (l *roomsLink) Enter(room string) {
	if l.fleet.options.Sharded.Subscriptions.separate(room) {
		l.channels.enter(l.shardedLink, l.public+room+"#", false)
	}
}

// Leave implements cluster.Interested.
func (l *roomsLink) Leave(room string) {
	if l.fleet.options.Sharded.Subscriptions.separate(room) {
		l.channels.leave(l.shardedLink, l.public+room+"#")
	}
}

// idsLink is a roomsLink that subscribes to sockets' own ids, too.
type idsLink struct {
	roomsLink
	mu  sync.Mutex
	ids map[string]struct{} // guarded by mu
}

// EnterSocket implements cluster.IDInterested.
func (l *idsLink) EnterSocket(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, there := l.ids[id]; !there {
		l.ids[id] = struct{}{}
		l.channels.enter(l.shardedLink, l.public+id+"#", false)
	}
}

// LeaveSocket implements cluster.IDInterested.
func (l *idsLink) LeaveSocket(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, there := l.ids[id]; there {
		delete(l.ids, id)
		l.channels.leave(l.shardedLink, l.public+id+"#")
	}
}

// ownSuffix knows a server's own messages, which Redis sends back, by their end: so
// they need not be read. Anybody may forge one, and has it dropped.
type ownSuffix struct{ text, packed string }

func newOwnSuffix(uid, nsp string) ownSuffix {
	m := &cluster.Message{Type: cluster.Heartbeat, UID: uid}
	text := string(cluster.AppendJSON(nil, m, nsp))
	packed, err := appendPacked(nil, m, nsp)
	if err != nil { // a namespace that is no UTF-8: read what comes
		return ownSuffix{}
	}
	return ownSuffix{text[strings.Index(text, `,"uid"`):], string(packed[strings.Index(string(packed), "\xa3uid"):])}
}

func (o ownSuffix) of(message string) bool {
	return o.text != "" && (strings.HasSuffix(message, o.text) || strings.HasSuffix(message, o.packed))
}
