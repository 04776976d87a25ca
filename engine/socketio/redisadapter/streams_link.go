package redisadapter

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// streamsLink is one namespace of Mode Streams.
type streamsLink struct {
	streams *streams
	fleet   *Fleet
	adapter *cluster.Adapter
	to      receiver // the adapter, or what is around it
	uid     string
	nsp     string
	public  string // channel of requests
	private string // channel of the answers for this one
	kind    subscriptionKind
	own     ownSuffix

	home   string // the stream that is written
	writer *streamWriter

	receiving sync.Mutex // held while a message is received: there are several ways in
}

// receiver is a cluster.Adapter or a cluster.Logged.
type receiver interface{ Receive(m *cluster.Message) }

func newStreamsLink(s *streams, a *cluster.Adapter, to receiver) *streamsLink {
	nsp := a.Namespace().Name()
	public := s.fleet.options.Prefix + "#" + nsp + "#"
	l := &streamsLink{
		streams: s, fleet: s.fleet, adapter: a, to: to, uid: a.UID(), nsp: nsp,
		public: public, private: public + a.UID() + "#",
		own: newOwnSuffix(a.UID(), nsp),
	}
	if s.options.ShardedPubSub {
		l.kind = shardKind
	}
	return l
}

// names are what is subscribed to.
func (l *streamsLink) names() (public, private subscription) {
	return subscription{l.kind, l.public, true}, subscription{l.kind, l.private, false}
}

func (l *streamsLink) subscribe() {
	public, private := l.names()
	l.fleet.subscriber.add(l.message, private, public)
}

// message takes what came over pub/sub.
func (l *streamsLink) message(_, message string) {
	c := &l.fleet.counters
	if l.own.of(message) {
		c.own.Add(1)
		return
	}
	m, nsp, err := parseEither([]byte(message), l.fleet.options.MaxMessage)
	switch {
	case err != nil:
		l.malformed(err)
	case nsp != l.nsp:
		c.elsewhere.Add(1)
	default:
		c.received.Add(1)
		l.receive(m)
	}
}

func (l *streamsLink) malformed(err error) {
	l.fleet.counters.malformed.Add(1)
	l.adapter.Malformed(err)
}

// entry takes what was read of a stream. What an offset is, the home stream says.
func (l *streamsLink) entry(stream string, m *cluster.Message, tail *cluster.Tail) {
	if tail != nil && stream == l.home {
		l.receiving.Lock()
		defer l.receiving.Unlock()
		tail.Receive(cluster.Entry{Namespace: l.nsp, Message: m})
		return
	}
	m.Offset = ""
	l.receive(m)
}

func (l *streamsLink) receive(m *cluster.Message) {
	l.receiving.Lock()
	defer l.receiving.Unlock()
	l.to.Receive(m)
}

// Publish implements cluster.Link.
func (l *streamsLink) Publish(m *cluster.Message) error {
	if !ephemeral(m) {
		return l.push(m, nil)
	}
	o, err := l.outgoing(l.public, m)
	if err != nil {
		return err
	}
	o.Kind += besidePublish
	if !l.writer.outbox.Push(o) {
		return ErrFull
	}
	return nil
}

// push queues m for the stream.
func (l *streamsLink) push(m *cluster.Message, settled func(offset string, err error)) error {
	header := binary.BigEndian.AppendUint64([]byte(l.uid), m.Sequence)
	body, err := appendEntryData(header, m, l.streams.options.OnlyPlaintext)
	if err != nil {
		return err
	}
	if !l.writer.outbox.Push(cluster.Outgoing{To: l.nsp, Kind: uint8(m.Type), Body: body, Volatile: volatile(m), Settled: settled}) {
		return ErrFull
	}
	return nil
}

// outgoing is m for the publisher.
func (l *streamsLink) outgoing(channel string, m *cluster.Message) (cluster.Outgoing, error) {
	o := cluster.Outgoing{To: channel, Kind: publish, Volatile: volatile(m)}
	if l.kind == shardKind {
		o.Kind = shardPublish
	}
	if l.streams.options.OnlyPlaintext && len(m.Packet.Attachments) > 0 {
		return o, ErrBinary
	}
	var err error
	o.Body, err = appendPacked(nil, m, l.nsp)
	return o, err
}

// Answer implements cluster.Link.
func (l *streamsLink) Answer(uid string, m *cluster.Message) error {
	o, err := l.outgoing(l.public+uid+"#", m)
	if err != nil {
		return err
	}
	if !l.fleet.publisher.outbox.Push(o) {
		return ErrFull
	}
	return nil
}

// Lane implements cluster.Lanes: a stream loses nothing without saying so, and is not
// counted.
func (l *streamsLink) Lane(m *cluster.Message) (lane string, counted bool) {
	return "", ephemeral(m)
}

// Others implements cluster.Link. Servers have no names here: they are counted by their
// subscriptions.
func (l *streamsLink) Others(ctx context.Context) (n int, uids []string, err error) {
	return l.fleet.others(ctx, l.kind, l.public)
}

// Close implements cluster.Link. What waits for the stream is appended still, until the
// Fleet is closed.
func (l *streamsLink) Close() error {
	public, private := l.names()
	l.fleet.subscriber.remove(public, private)
	l.streams.remove(l)
	return nil
}

// loggedLink is a streamsLink whose events are numbered by the stream.
type loggedLink struct {
	*streamsLink
	logged *cluster.Logged
}

// Append implements cluster.LogLink.
func (l *loggedLink) Append(m *cluster.Message) error {
	sequence := m.Sequence
	return l.push(m, func(_ string, err error) {
		switch {
		case err == nil:
			l.logged.Settled(sequence, cluster.Kept)
		case errors.Is(err, ErrUnknown):
			l.logged.Settled(sequence, cluster.Unknown)
		default:
			l.logged.Settled(sequence, cluster.Failed)
		}
	})
}
