package clustertest

import (
	"bytes"
	"context"
	"slices"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// journalLink is the end of a Journal at one adapter.
type journalLink struct {
	desk   *Desk
	logged *cluster.Logged
	nsp    string
}

// Append implements cluster.LogLink.
func (k *journalLink) Append(m *cluster.Message) error {
	k.desk.journal.mu.Lock()
	defer k.desk.journal.mu.Unlock()
	if k.desk.gone {
		return errAway
	}
	e := journalEntry{nsp: k.nsp, uid: m.UID, kind: m.Type, sequence: m.Sequence, data: cluster.AppendData(nil, m)}
	for _, a := range m.Packet.Attachments {
		e.attachments = append(e.attachments, bytes.Clone(a))
	}
	k.desk.outbox = append(k.desk.outbox, e)
	k.desk.nudge()
	return nil
}

// Publish implements cluster.Link. What is about sockets goes into the log.
func (k *journalLink) Publish(m *cluster.Message) error {
	switch m.Type {
	case cluster.SocketsJoin, cluster.SocketsLeave, cluster.DisconnectSockets:
		return k.Append(m)
	}
	k.send(m, "")
	return nil
}

// Answer implements cluster.Link.
func (k *journalLink) Answer(uid string, m *cluster.Message) error {
	k.send(m, uid)
	return nil
}

// send has other adapters receive m as bytes: all, or the one with this UID.
func (k *journalLink) send(m *cluster.Message, uid string) {
	j := k.desk.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if k.desk.away {
		return
	}
	text, attachments := cluster.AppendJSON(nil, m, k.nsp), m.Packet.Attachments
	for _, d := range j.desks {
		for _, to := range d.links {
			if to == k || to.nsp != k.nsp || uid != "" && to.logged.UID() != uid || d.away {
				continue
			}
			d.inbox = append(d.inbox, func() {
				m, _, err := cluster.ParseJSON(text, attachments)
				if err != nil {
					panic(err)
				}
				to.logged.Receive(m)
			})
			d.nudge()
		}
	}
}

// Others implements cluster.Link.
func (k *journalLink) Others(context.Context) (n int, uids []string, err error) {
	j := k.desk.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if k.desk.away {
		return 0, nil, errAway
	}
	uids = []string{}
	for _, d := range j.desks {
		for _, o := range d.links {
			if o != k && o.nsp == k.nsp {
				uids = append(uids, o.logged.UID())
			}
		}
	}
	if j.Counted {
		return len(uids), nil, nil
	}
	return len(uids), uids, nil
}

// OwnKind implements cluster.Own.
func (k *journalLink) OwnKind() bool { return true }

// Close implements cluster.Link.
func (k *journalLink) Close() error {
	d := k.desk
	for d.byHand && d.Commit() {
	}
	d.journal.mu.Lock()
	defer d.journal.mu.Unlock()
	d.links = slices.DeleteFunc(d.links, func(o *journalLink) bool { return o == k })
	return nil
}
