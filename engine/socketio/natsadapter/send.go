package natsadapter

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/nats-io/nats.go"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// What cluster.Outgoing.Kind says here.
const (
	everybody = iota // whoever listens is told how many frames there were
	oneServer        // an answer: who misses it knows
)

// push queues a message.
func (n *Node) push(subject string, kind uint8, m *cluster.Message) error {
	frame, err := newFrame(n.id, m)
	if err != nil {
		return err
	}
	if len(frame) > n.options.MaxMessage {
		return errTooLong
	}
	volatile := m.Type == cluster.Broadcast && m.Opts.Flags.Volatile && m.RequestID == ""
	if !n.outbox.Push(cluster.Outgoing{To: subject, Kind: kind, Body: frame, Volatile: volatile}) {
		return ErrOutboxFull
	}
	n.numbers.queued.Add(1)
	return nil
}

// send is what the Outbox calls: on one goroutine, in order.
func (n *Node) send(ctx context.Context, batch []cluster.Outgoing) (done int, err error) {
	most := n.mostPayload()
	for i := range batch {
		o := &batch[i]
		if len(o.Body) <= most {
			err = n.sendFrame(ctx, o, o.Body)
		} else {
			err = n.sendParts(ctx, o, most)
		}
		if err != nil {
			return i, err
		}
	}
	return len(batch), nil
}

// mostPayload is how long a frame may be.
func (n *Node) mostPayload() int {
	most := n.nc.MaxPayload()
	if most < 1024 { // not connected yet, or so small that NATS may say no
		most = 1024
	}
	return int(min(most, 1<<30))
}

// sendFrame sends one frame, numbered. An error means that it was not sent, and may be later.
func (n *Node) sendFrame(ctx context.Context, o *cluster.Outgoing, frame []byte) error {
	if err := n.window.acquire(ctx); err != nil {
		return err
	}
	number := n.sending.next(o.To, o.Kind == oneServer)
	setNumber(frame, number)
	switch err := n.nc.Publish(o.To, frame); {
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrBadSubject):
		n.options.Logger.Error("natsadapter: NATS takes no such message", "bytes", len(frame), "error", err)
		return nil // and will not
	case err != nil:
		return err
	}
	n.sending.sent(o.To, number)
	n.window.spent(len(frame))
	return nil
}

// sendParts sends a message that is longer than a frame: which of how many parts each is,
// and then so much of the frame as there is room for, from its kind on. All are as long as
// the first, but for the last.
func (n *Node) sendParts(ctx context.Context, o *cluster.Outgoing, most int) error {
	rest := o.Body[kindAt:]
	size := most - headSize - 2*binary.MaxVarintLen32
	parts := (len(rest) + size - 1) / size
	for i := range parts {
		part := rest[i*size : min((i+1)*size, len(rest))]
		frame := appendHead(make([]byte, 0, most), kindPart, n.id)
		frame = binary.AppendUvarint(frame, uint64(i)) //nolint:gosec // not below 0
		frame = binary.AppendUvarint(frame, uint64(parts))
		if err := n.sendFrame(ctx, o, append(frame, part...)); err != nil {
			return err
		}
	}
	return nil
}
