package natsadapter

import (
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

const (
	maxDeparted  = 1024             // servers that are remembered
	rememberFor  = 30 * time.Minute // so that what was missed while they were away is counted when they are back
	maxCounts    = 2048             // lanes told of at once
	maxPeerNames = 256              // bytes of a server's name
)

// peer is another server. Of the receiving goroutine only, but for the numbers.
type peer struct {
	id     serverID
	uid    string    // immutable
	name   string    // guarded by Node.mu
	layout string    // guarded by Node.mu
	seen   time.Time // when it was last heard
	lanes  hearing
	parts  assembly

	received, lost atomic.Uint64
}

// meet returns the server with this id, which may be new, or back; nil where there are too
// many.
func (n *Node) meet(id serverID, now time.Time) *peer {
	p := n.peers[id]
	if p != nil {
		p.seen = now
		return p
	}
	if len(n.peers) >= n.options.MaxPeers {
		n.numbers.refused.Add(1)
		return nil
	}
	if p = n.departed[id]; p == nil {
		p = &peer{id: id, uid: id.String(), lanes: make(hearing)}
	}
	delete(n.departed, id)
	p.seen = now
	n.mu.Lock()
	n.peers[id] = p
	n.peersChanged()
	n.mu.Unlock()
	n.window.join(id)
	n.pulse.news = true
	n.beat(cluster.Heartbeat, nodeToken+toOne+p.uid) // that it may know of this one as well
	return p
}

// part strikes a server off: nobody waits for its answers any more. One that has only gone
// silent may come back, and is remembered for that.
func (n *Node) part(p *peer, remember bool) {
	n.mu.Lock()
	delete(n.peers, p.id)
	n.peersChanged()
	links := make([]*link, 0, len(n.links))
	for _, l := range n.links {
		links = append(links, l)
	}
	n.mu.Unlock()
	n.window.leave(p.id)
	p.parts.drop()
	if remember && len(n.departed) < maxDeparted {
		n.departed[p.id] = p
	}
	for _, l := range links {
		l.adapter.Gone(p.uid)
	}
}

// peersChanged lets those who wait for servers look again. Called with mu held.
func (n *Node) peersChanged() {
	close(n.arrival)
	n.arrival = make(chan struct{})
}

// others returns the UIDs of the servers that are there.
func (n *Node) others() (uids []string) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	uids = make([]string, 0, len(n.peers))
	for _, p := range n.peers {
		uids = append(uids, p.uid)
	}
	return uids
}

// beat says that this server is there, and how it is laid out.
func (n *Node) beat(kind cluster.Type, to string) {
	n.control(to, uint8(kind), appendText(appendText(nil, n.options.Name), n.options.layoutName()))
}

// heartbeat is another server's.
func (n *Node) heartbeat(p *peer, kind cluster.Type, payload []byte) error {
	r := reader{b: payload}
	name, layout := string(r.text()), string(r.text())
	if err := r.end(); err != nil || len(name) > maxPeerNames || len(layout) > maxPeerNames {
		return errFrame
	}
	n.mu.Lock()
	news, met := p.layout != layout && layout != n.options.layoutName(), p.name == ""
	p.name, p.layout = name, layout
	n.mu.Unlock()
	if met {
		n.options.Logger.Info("natsadapter: another server is there", "server", name, "uid", p.uid)
	}
	if news {
		n.options.Logger.Error("natsadapter: another server spreads rooms over subjects in another way", "server", p.uid, "theirs", layout, "ours", n.options.layoutName())
	}
	if kind == cluster.InitialHeartbeat { // it is new, or its connection is: it may have missed counts
		n.pulse.news = true
		n.beat(cluster.Heartbeat, nodeToken+toOne+p.uid)
	}
	return nil
}

// pulse is when to do what is done from time to time.
type pulse struct {
	pause time.Duration // until the next look: short in the beginning, when others may not be connected yet
	beat  time.Time     // when the latest heartbeat was sent
	told  time.Time     // when the latest counts were
	again time.Time     // when counts were said again
	swept time.Time
	news  bool // a server is there that may have missed counts
}

// usualPause is the time between two looks.
func (n *Node) usualPause() time.Duration {
	return max(min(time.Second, n.options.HeartbeatInterval/4), time.Millisecond)
}

// firstPause is shorter, by so much that there are a few of them.
func (n *Node) firstPause() time.Duration { return n.usualPause() / 10 }

// tick does what is due, and returns when to look again.
func (n *Node) tick(u *pulse, now time.Time) time.Duration {
	usual := n.usualPause()
	switch {
	case u.pause < usual:
		u.pause = min(2*u.pause, usual)
		u.beat = now
		n.beat(cluster.InitialHeartbeat, nodeToken+questions)
	case now.Sub(u.beat) >= n.options.HeartbeatInterval-usual:
		u.beat = now
		n.beat(cluster.Heartbeat, nodeToken+questions)
	}
	if u.news {
		n.sending.retell()
	}
	if now.Sub(u.told) >= usual {
		again := u.news || now.Sub(u.again) >= n.options.HeartbeatInterval
		if u.told = now; again {
			u.again, u.news = now, false
		}
		n.tellCounts(again)
	}
	if len(n.inbox) == 0 { // else it may be us who have not listened
		n.expire(now)
	}
	if now.Sub(u.swept) > time.Minute {
		u.swept = now
		n.sweep(now)
	}
	return u.pause
}

func (n *Node) expire(now time.Time) {
	for _, p := range n.peers {
		if silent := now.Sub(p.seen); silent > n.options.HeartbeatTimeout {
			n.options.Logger.Warn("natsadapter: a server is silent", "server", p.name, "uid", p.uid, "for", silent.Round(time.Millisecond))
			n.part(p, true)
		}
	}
}

// sweep forgets what is not needed any more.
func (n *Node) sweep(now time.Time) {
	for id, p := range n.departed {
		if now.Sub(p.seen) > rememberFor {
			delete(n.departed, id)
		}
	}
	for _, p := range n.peers {
		p.lanes.sweep()
	}
}
