package natsadapter

import (
	"context"
	"strconv"
	"sync"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// link is the part of a Node that is one namespace's.
type link struct {
	node    *Node
	adapter receiver
	token   string // of the namespace
	all     string // the subject of broadcasts to all
	asked   string // and that of questions

	mu     sync.RWMutex
	shards map[int]string // their subjects, with Hashed; guarded by mu
}

// receiver is what a link needs of a cluster.Adapter.
type receiver interface {
	Receive(m *cluster.Message)
	Gone(uid string)
}

var (
	_ cluster.Link       = (*link)(nil)
	_ cluster.Interested = (*link)(nil)
	_ cluster.Own        = (*link)(nil)
	_ cluster.Lanes      = (*link)(nil)
)

// open makes the link of an adapter.
func (n *Node) open(a *cluster.Adapter) (cluster.Link, error) {
	l, err := n.attach(a.Namespace().Name(), a)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// attach makes the link of a namespace.
func (n *Node) attach(namespace string, a receiver) (*link, error) {
	name := token(namespace)
	l := &link{node: n, adapter: a, token: name, all: n.prefix + name + toAll, asked: n.prefix + name + questions, shards: make(map[int]string)}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, ErrClosed
	}
	n.links[name] = l
	return l, nil
}

// OwnKind implements cluster.Own: all servers are of this package.
func (l *link) OwnKind() bool { return true }

// Publish implements cluster.Link.
func (l *link) Publish(m *cluster.Message) error {
	return l.node.push(l.subject(m), everybody, m)
}

// subject is where a message goes: questions to every server, broadcasts to those with the
// namespace, or with sockets in the room.
func (l *link) subject(m *cluster.Message) string {
	if m.Type != cluster.Broadcast || m.RequestID != "" {
		return l.asked
	}
	if len(m.Opts.Rooms) != 1 {
		return l.all
	}
	if s := l.room(m.Opts.Rooms[0]); s != "" {
		return s
	}
	return l.all
}

// room is the subject of a room; empty where it has none.
func (l *link) room(room string) string {
	o := &l.node.options
	if o.Subjects != Hashed || len(room) == socketIDLen {
		what := o.layout(room)
		if what == "" {
			return ""
		}
		return l.node.prefix + l.token + toRoom + what
	}
	shard := shardOf(room, o.Shards)
	l.mu.RLock()
	s := l.shards[shard]
	l.mu.RUnlock()
	if s == "" {
		s = l.node.prefix + l.token + toRoom + strconv.Itoa(shard)
		l.mu.Lock()
		l.shards[shard] = s
		l.mu.Unlock()
	}
	return s
}

// Answer implements cluster.Link.
func (l *link) Answer(uid string, m *cluster.Message) error {
	return l.node.push(l.node.prefix+l.token+toOne+token(uid), oneServer, m)
}

// Others implements cluster.Link.
func (l *link) Others(context.Context) (int, []string, error) {
	uids := l.node.others()
	return len(uids), uids, nil
}

// Lane implements cluster.Lanes: frames are numbered here, and tell more than tallies.
func (l *link) Lane(*cluster.Message) (lane string, counted bool) { return "", false }

// Enter implements cluster.Interested.
func (l *link) Enter(room string) { l.want(room, 1) }

// Leave implements cluster.Interested.
func (l *link) Leave(room string) { l.want(room, -1) }

func (l *link) want(room string, more int) {
	if s := l.room(room); s != "" {
		l.node.interest.want(s, more)
	}
}

// Close implements cluster.Link. The rooms of its sockets have been left by then; what they
// have not is heard no longer than the Node lives.
func (l *link) Close() error {
	n := l.node
	n.mu.Lock()
	if n.links[l.token] == l {
		delete(n.links, l.token)
	}
	n.mu.Unlock()
	return nil
}
