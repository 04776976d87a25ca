package natsadapter

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// run is the goroutine that looks at all that comes, in the order in which it came.
func (n *Node) run() {
	defer close(n.stopped)
	u := &n.pulse
	u.pause = n.firstPause()
	timer := time.NewTimer(u.pause)
	defer timer.Stop()
	for {
		select {
		case m := <-n.inbox:
			if err := n.take(m, time.Now()); err != nil {
				n.numbers.malformed.Add(1)
			}
		case now := <-timer.C:
			timer.Reset(n.tick(u, now))
		case <-n.eager:
			u.pause = n.firstPause()
			timer.Reset(u.pause)
		case <-n.stop:
			return
		}
	}
}

// take looks at one message of NATS.
func (n *Node) take(m *nats.Msg, now time.Time) error {
	rest, ours := strings.CutPrefix(m.Subject, n.prefix)
	to, ok := addressOf(rest)
	h, payload, err := readHead(m.Data)
	switch {
	case !ours || !ok || err != nil:
		return errFrame
	case h.server == n.id:
		return nil // an echo, on a connection of Options.Conn
	case h.kind == uint8(cluster.AdapterClose) && n.peers[h.server] == nil:
		return nil
	}
	p := n.meet(h.server, now)
	if p == nil {
		return nil
	}
	if h.number > 0 {
		n.numbers.received.Add(1)
		p.received.Add(1)
		if lost := p.lanes.frame(m.Subject, m.Sub, h.number, len(p.lanes) < n.options.MaxLanes); lost > 0 {
			n.missed(p, lost)
		}
	}
	if h.kind == kindPart {
		whole, err := p.parts.add(m.Subject, payload, n.options.MaxMessage)
		if err != nil || whole == nil {
			return err
		}
		if len(whole) < headSize-kindAt {
			return errFrame
		}
		h.kind, payload = whole[0], whole[headSize-kindAt:]
	}
	if to.namespace == nodeToken {
		return n.takeOwn(p, h.kind, payload)
	}
	return n.deliver(p, to, h.kind, payload)
}

// missed counts what another server has sent and this one has not got.
func (n *Node) missed(p *peer, lost uint64) {
	p.lost.Add(lost)
	n.numbers.lost.Add(lost)
	n.numbers.lostAt.Store(time.Now().UnixNano())
}

// takeOwn looks at what servers say to each other, of no namespace.
func (n *Node) takeOwn(p *peer, kind uint8, payload []byte) error {
	switch kind {
	case uint8(cluster.InitialHeartbeat), uint8(cluster.Heartbeat):
		return n.heartbeat(p, cluster.Type(kind), payload)
	case uint8(cluster.AdapterClose):
		n.options.Logger.Info("natsadapter: another server has left", "server", p.name, "uid", p.uid)
		n.part(p, false)
	case kindMark:
		if _, err := readProgress(payload); err != nil {
			return err
		}
		n.control(nodeToken+toOne+p.uid, kindReached, payload)
	case kindReached:
		at, err := readProgress(payload)
		if err != nil {
			return err
		}
		n.window.reached(p.id, at)
	case kindCounts:
		return n.counts(p, payload)
	default:
		return errFrame
	}
	return nil
}

// deliver hands a message to the adapter of its namespace.
func (n *Node) deliver(p *peer, to address, kind uint8, payload []byte) error {
	if kind >= kindMark && kind != kindAbsent {
		return errFrame
	}
	n.mu.RLock()
	l := n.links[to.namespace]
	n.mu.RUnlock()
	var m cluster.Message
	switch {
	case kind == kindAbsent:
		if l != nil {
			l.adapter.Gone(p.uid)
		}
		return nil
	case l == nil && to.kind != 'q':
		n.numbers.homeless.Add(1) // there is one where it comes from
		return nil
	}
	if err := readMessage(&m, kind, payload); err != nil {
		return err
	}
	m.UID = p.uid
	if l == nil {
		n.absent(p, to.namespace, &m)
		return nil
	}
	l.adapter.Receive(&m)
	return nil
}

// absent answers for a namespace that this server does not have.
func (n *Node) absent(p *peer, namespace string, m *cluster.Message) {
	if m.RequestID == "" {
		return
	}
	answer := cluster.Message{RequestID: m.RequestID}
	switch m.Type {
	case cluster.Broadcast:
		answer.Type = cluster.BroadcastClientCount
	case cluster.FetchSockets:
		answer.Type = cluster.FetchSocketsResponse
	case cluster.CountSockets:
		answer.Type = cluster.CountSocketsResponse
	case cluster.RoomSizes:
		answer.Type = cluster.RoomSizesResponse
	case cluster.ServerSideEmit:
		n.control(namespace+toOne+p.uid, kindAbsent, nil)
		return
	default:
		return
	}
	_ = n.push(n.prefix+namespace+toOne+p.uid, oneServer, &answer) // what does not fit is counted by the Outbox
}

// tellCounts tells others how many frames there were on the lanes where that has changed.
func (n *Node) tellCounts(again bool) {
	for done := false; !done; {
		var lanes int
		var list []byte
		done = n.sending.untold(again, maxCounts, func(subject string, sent uint64) {
			lanes++
			list = binary.AppendUvarint(appendText(list, subject[len(n.prefix):]), sent)
		})
		if lanes > 0 {
			n.control(nodeToken+questions, kindCounts, append(binary.AppendUvarint(nil, uint64(lanes)), list...)) //nolint:gosec // not below 0
		}
	}
}

// counts are another server's: of those lanes that are heard here, they tell what is
// missing at the end.
func (n *Node) counts(p *peer, payload []byte) error {
	r := reader{b: payload}
	for range r.count(maxCounts, 2) {
		rest, sent := string(r.text()), r.number()
		to, ok := addressOf(rest)
		if !ok {
			continue
		}
		subject := n.prefix + rest
		var sub *nats.Subscription
		switch to.kind {
		case 'q':
			sub = n.asked
		case 'b':
			sub = n.told
		case 'r':
			sub = n.interest.by(subject)
		}
		if sub == nil {
			continue
		}
		if lost := p.lanes.count(subject, sub, sent, len(p.lanes) < n.options.MaxLanes); lost > 0 {
			n.missed(p, lost)
		}
	}
	return r.end()
}
