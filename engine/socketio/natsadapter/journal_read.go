package natsadapter

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// place is where an entry is in the log. As text it is life-batch-entry, the first to base
// 36: at most 30 characters.
type place struct {
	life  int64  // of the stream: when it was made, in ms since 1970
	batch uint64 // the number that JetStream has given the message
	entry int    // in that, from 0; endOfBatch for behind all of them
}

const (
	endOfBatch = 9999
	maxBatch   = 1e15 // batches of a stream: 16 digits
)

func (p place) String() string {
	return strconv.FormatInt(p.life, 36) + "-" + strconv.FormatUint(p.batch, 10) + "-" + strconv.Itoa(p.entry)
}

// parsePlace reads an offset, which may come from any client. It is one in one form only.
func parsePlace(text string) (p place, ok bool) {
	life, rest, _ := strings.Cut(text, "-")
	batch, entry, _ := strings.Cut(rest, "-")
	var err [3]error
	p.life, err[0] = strconv.ParseInt(life, 36, 64)
	p.batch, err[1] = strconv.ParseUint(batch, 10, 64)
	p.entry, err[2] = strconv.Atoi(entry)
	ok = errors.Join(err[:]...) == nil && p.life > 0 && len(life) <= 8 && p.batch <= maxBatch && p.entry >= 0 && p.entry <= endOfBatch
	return p, ok && p.String() == text
}

func (p place) compare(o place) int {
	switch {
	case p.life != o.life:
		return sign(p.life < o.life)
	case p.batch != o.batch:
		return sign(p.batch < o.batch)
	case p.entry != o.entry:
		return sign(p.entry < o.entry)
	}
	return 0
}

func sign(less bool) int {
	if less {
		return -1
	}
	return 1
}

// Valid implements cluster.Log.
func (j *journal) Valid(offset string) bool {
	_, ok := parsePlace(offset)
	return ok
}

// Compare implements cluster.Log.
func (j *journal) Compare(a, b string) int {
	x, _ := parsePlace(a)
	y, _ := parsePlace(b)
	return x.compare(y)
}

func lifeOf(i *jetstream.StreamInfo) int64 { return i.Created.UnixMilli() }

// read hands all that is appended to the Tail, in order, until the journal is closed.
func (j *journal) read() {
	var at place // up to where everything was handed over
	for failures := 0; ; failures++ {
		began := time.Now()
		err := j.follow(&at)
		if j.ctx.Err() != nil {
			return
		}
		j.trouble.Store(&err)
		if time.Since(began) > j.options.Timeout {
			failures = 0
		}
		if failures == 3 {
			j.node.options.Logger.Warn("natsadapter: JetStream does not answer as it should", "error", err)
		}
		select {
		case <-time.After(min(100*time.Millisecond<<min(failures, 4), time.Second)):
		case <-j.ctx.Done():
			return
		}
	}
}

// follow reads the stream as long as it is the same and answers.
func (j *journal) follow(at *place) error {
	ctx, cancel := context.WithTimeout(j.ctx, 2*j.options.Timeout)
	defer cancel()
	s, err := j.streams(ctx)
	if err != nil {
		return err
	}
	info, err := s.Info(ctx)
	if err != nil {
		return err
	}
	switch life := lifeOf(info); {
	case at.life == 0:
		*at = place{life, info.State.LastSeq, endOfBatch}
		j.tail.Begin(at.String())
	case at.life != life: // it was lost with the servers that had it
		*at = place{life, max(info.State.FirstSeq, 1) - 1, endOfBatch}
		j.tail.Skipped(at.String())
	}
	cons, err := j.js.OrderedConsumer(ctx, j.events, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: at.batch + 1, InactiveThreshold: time.Minute,
		MaxResetAttempts: 3,
	})
	if err != nil {
		return err
	}
	j.life.Store(at.life)
	j.trouble.Store(nil)
	all, err := cons.Messages(jetstream.PullExpiry(4*time.Second), jetstream.PullHeartbeat(time.Second))
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	life := at.life
	j.work.Go(func() { j.watch(s, life, all, ended) })
	defer close(ended)
	defer all.Stop()
	for {
		m, err := all.Next(jetstream.NextContext(j.ctx))
		if errors.Is(err, jetstream.ErrNoHeartbeat) {
			continue // it is made anew
		}
		if err != nil {
			return err
		}
		if err := j.batch(at, m); err != nil {
			return err
		}
	}
}

// watch ends the reading of a stream that is not there any more, which no consumer tells.
func (j *journal) watch(s jetstream.Stream, life int64, all jetstream.MessagesContext, ended chan struct{}) {
	ticker := time.NewTicker(j.node.options.HeartbeatInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ended:
			return
		case <-j.ctx.Done():
			return
		}
		ctx, cancel := context.WithTimeout(j.ctx, j.options.Timeout)
		info, err := s.Info(ctx)
		cancel()
		if errors.Is(err, jetstream.ErrStreamNotFound) || err == nil && lifeOf(info) != life {
			all.Stop()
			return
		}
	}
}

// batch hands over the entries of one message.
func (j *journal) batch(at *place, m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	n := meta.Sequence.Stream
	switch {
	case n <= at.batch:
		return nil
	case n > at.batch+1: // the stream was trimmed faster than it is read here
		*at = place{at.life, n - 1, endOfBatch}
		j.tail.Skipped(at.String())
	}
	_, err = readBatch(at.life, n, m.Data(), func(e cluster.Entry) bool {
		j.tail.Receive(e)
		return true
	})
	if err != nil {
		j.node.numbers.malformed.Add(1)
	}
	*at = place{at.life, n, endOfBatch}
	return nil
}

// readBatch calls each for the entries of a message, until it says that it wants no more.
func readBatch(life int64, number uint64, data []byte, each func(cluster.Entry) bool) (more bool, err error) {
	h, payload, err := readHead(data)
	if err != nil || h.kind != kindBatch {
		return true, errFrame
	}
	r := reader{b: payload}
	for i := 0; len(r.b) > 0 && i < endOfBatch; i++ {
		entry := reader{b: r.text()}
		namespace := string(entry.text())
		m := new(cluster.Message)
		if r.bad || entry.bad || readMessage(m, uint8(cluster.Broadcast), entry.b) != nil {
			return true, errFrame
		}
		m.UID, m.Offset = h.server.String(), place{life, number, i}.String()
		if !each(cluster.Entry{Namespace: namespace, Message: m}) {
			return false, nil
		}
	}
	return true, r.end()
}

// Range implements cluster.Log.
func (j *journal) Range(ctx context.Context, after, upTo string, each func(cluster.Entry) bool) error {
	from, ok := parsePlace(after)
	to, ok2 := parsePlace(upTo)
	if !ok || !ok2 {
		return cluster.ErrTrimmed
	}
	s, err := j.js.Stream(ctx, j.events)
	if err != nil {
		return fmt.Errorf("natsadapter: reading older events: %w", err)
	}
	info := s.CachedInfo()
	first, last := info.State.FirstSeq, info.State.LastSeq
	next := from.batch
	if from.entry == endOfBatch {
		next++
	}
	if lifeOf(info) != from.life || from.batch > last || first > next {
		return cluster.ErrTrimmed
	}
	if to.life == from.life {
		last = min(last, to.batch)
	}
	if next > last {
		return nil
	}
	cons, err := j.js.OrderedConsumer(ctx, j.events, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: next, InactiveThreshold: 30 * time.Second,
	})
	if err != nil {
		return fmt.Errorf("natsadapter: reading older events: %w", err)
	}
	all, err := cons.Messages(jetstream.PullExpiry(4*time.Second), jetstream.PullHeartbeat(time.Second))
	if err != nil {
		return fmt.Errorf("natsadapter: reading older events: %w", err)
	}
	defer all.Stop()
	for next <= last {
		m, err := all.Next(jetstream.NextContext(ctx))
		if errors.Is(err, jetstream.ErrNoHeartbeat) {
			continue
		}
		if err != nil {
			return fmt.Errorf("natsadapter: reading older events: %w", err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		n := meta.Sequence.Stream
		if n != next {
			return cluster.ErrTrimmed
		}
		next++
		more, _ := readBatch(from.life, n, m.Data(), func(e cluster.Entry) bool { // what is malformed was counted when it came
			p, _ := parsePlace(e.Message.Offset)
			return p.compare(from) <= 0 || p.compare(to) <= 0 && each(e)
		})
		if !more {
			return nil
		}
	}
	return nil
}
