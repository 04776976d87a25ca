package redisadapter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// streamWriter appends to one stream what is pushed, in order and once, over a
// connection of its own. What was written to a connection that is lost before Redis has
// answered may have been done or not: the successor has Redis forget that connection,
// which has nothing of it done any more, then looks into the stream, and sends it again
// where it is not there. It goes as one transaction, so that either all of it is there
// or nothing.
type streamWriter struct {
	name      string
	maxLen    string
	patience  time.Duration // for an answer
	connector *connector
	publisher *publisher
	reader    *streamReader // of the same stream: how far it has come by now
	outbox    *cluster.Outbox
	appended  atomic.Uint64
	unknown   atomic.Uint64 // given up: the stream does not say any more
	refused   atomic.Uint64 // by Redis, for good
	failure   atomic.Pointer[failure]

	// loop-only: of the outbox's goroutine
	connection rueidis.DedicatedClient // nil where there is none
	lost       <-chan error            // says that it has ended
	release    func()
	identity   identity
	doubt      int    // so many messages, the first of the next batch, may be there already
	after      string // an entry that was there before them
}

// ErrUnknown is what becomes of an append where Redis was lost, and its stream after
// that does not go back far enough to tell whether the entry was in it.
var ErrUnknown = errors.New("redisadapter: not known whether the stream had the entry")

// The body of what is pushed to a streamWriter begins with the name of its adapter, and
// a number that is its in the log, or 0.
const (
	uidSize    = 16
	headerSize = uidSize + 8
)

func newStreamWriter(name string, f *Fleet, o *StreamsOptions, r *streamReader) *streamWriter {
	w := &streamWriter{
		name:      name,
		maxLen:    strconv.Itoa(o.MaxLen),
		patience:  f.options.DeadAfter,
		connector: f.connector,
		publisher: f.publisher,
		reader:    r,
	}
	w.outbox = cluster.NewOutbox(f.options.Outbox, w.send)
	return w
}

// send settles all of a batch or, where it has to be tried again, nothing.
func (w *streamWriter) send(ctx context.Context, batch []cluster.Outgoing) (done int, err error) {
	if done, err = w.attempt(ctx, batch); err != nil {
		w.failure.Store(another(w.failure.Load(), err))
		return done, err
	}
	w.failure.Store(nil)
	return done, nil
}

func (w *streamWriter) attempt(ctx context.Context, batch []cluster.Outgoing) (done int, err error) {
	switch i := slices.IndexFunc(batch, isBeside); i {
	case 0:
		w.beside(batch[0])
		return 1, nil
	case -1:
	default:
		batch = batch[:i]
	}
	if err := w.connect(ctx); err != nil {
		return 0, err
	}
	if w.doubt > 0 {
		return w.resolve(ctx, batch[:w.doubt])
	}
	w.after = w.latest()
	w.doubt = len(batch)
	ids, err := w.transaction(ctx, batch)
	if err != nil {
		if certain(err) {
			w.doubt = 0
		} else {
			w.disconnect()
		}
		return 0, fmt.Errorf("redisadapter: appending to a stream: %w", err)
	}
	w.doubt = 0
	w.settle(batch, ids)
	return len(batch), nil
}

// Kinds beyond those of entries: what is published when the entries before it are in the
// stream. A server that is asked for its sockets may have moved them by then.
const (
	besidePublish      uint8 = 200 + publish
	besideShardPublish uint8 = 200 + shardPublish
)

func isBeside(m cluster.Outgoing) bool { return m.Kind >= besidePublish }

// beside hands m to the publisher, where what there is no room for is counted.
func (w *streamWriter) beside(m cluster.Outgoing) {
	m.Kind -= besidePublish
	w.publisher.outbox.Push(m)
}

// certain reports whether an error says that nothing was done.
func certain(err error) bool {
	_, said := rueidis.IsRedisErr(err)
	return said
}

// transaction appends all of a batch, and returns what Redis says to each.
func (w *streamWriter) transaction(ctx context.Context, batch []cluster.Outgoing) ([]rueidis.RedisMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, w.patience)
	defer cancel()
	b := w.connection.B()
	cmds := make([]rueidis.Completed, 0, len(batch)+2)
	cmds = append(cmds, b.Multi().Build())
	for i := range batch {
		cmds = append(cmds, w.xadd(b, &batch[i]))
	}
	cmds = append(cmds, b.Exec().Build())
	said := w.connection.DoMulti(ctx, cmds...)
	return said[len(said)-1].ToArray()
}

// xadd is the command that appends m, as Node's adapter has it; behind that comes the
// number, which Node's servers ignore.
func (w *streamWriter) xadd(b rueidis.Builder, m *cluster.Outgoing) rueidis.Completed {
	c := b.Arbitrary("XADD").Keys(w.name).Args("MAXLEN", "~", w.maxLen, "*",
		"uid", rueidis.BinaryString(m.Body[:uidSize]), "nsp", m.To, "type", strconv.Itoa(int(m.Kind)))
	if data := m.Body[headerSize:]; len(data) > 0 {
		c = c.Args("data", rueidis.BinaryString(data))
	}
	if n := binary.BigEndian.Uint64(m.Body[uidSize:]); n > 0 {
		c = c.Args("seq", strconv.FormatUint(n, 10))
	}
	return c.Build()
}

// settle tells of a batch that was done.
func (w *streamWriter) settle(batch []cluster.Outgoing, said []rueidis.RedisMessage) {
	for i, m := range batch {
		id, err := said[i].ToString()
		if err != nil {
			w.refused.Add(1)
		} else {
			w.appended.Add(1)
			w.after = id
		}
		tell(m, id, err)
	}
}

func tell(m cluster.Outgoing, id string, err error) {
	if m.Settled != nil {
		m.Settled(id, err)
	}
}

// latest returns the latest entry that is known.
func (w *streamWriter) latest() string {
	if p := w.reader.position(); newerID(p, w.after) {
		return p
	}
	return w.after
}

// resolve finds out what has become of the messages in doubt.
func (w *streamWriter) resolve(ctx context.Context, batch []cluster.Outgoing) (done int, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.patience)
	defer cancel()
	ids, err := w.own(ctx, batch)
	if err == nil && len(ids) == 0 {
		err = w.reachesBack(ctx)
	}
	switch {
	case errors.Is(err, ErrUnknown):
		w.doubt = 0
		w.unknown.Add(uint64(len(batch)))
		for _, m := range batch {
			tell(m, "", ErrUnknown)
		}
		return len(batch), nil
	case err != nil:
		if !certain(err) {
			w.disconnect()
		}
		return 0, fmt.Errorf("redisadapter: looking into a stream: %w", err)
	case len(ids) == 0: // they were never there
		w.doubt = 0
		return 0, nil
	}
	w.doubt = 0
	w.appended.Add(uint64(len(batch)))
	w.after = ids[len(ids)-1]
	ids = append(make([]string, len(batch)-min(len(batch), len(ids))), ids...) // the first may have been trimmed
	for i, m := range batch {
		tell(m, ids[i], nil)
	}
	return len(batch), nil
}

// own returns the entries of the batch's adapters behind those that are known: nobody
// else writes in their names, so those are what is in doubt.
func (w *streamWriter) own(ctx context.Context, batch []cluster.Outgoing) (ids []string, err error) {
	var uids []string
	for _, m := range batch {
		if uid := string(m.Body[:uidSize]); !slices.Contains(uids, uid) {
			uids = append(uids, uid)
		}
	}
	for from := nextID(w.after); ; {
		page, err := xrange(ctx, w.connection, w.name, from, "+", rangePage)
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			if slices.Contains(uids, e.uid) {
				ids = append(ids, e.id)
			}
		}
		if len(page) < rangePage {
			return ids, nil
		}
		from = nextID(page[len(page)-1].id)
	}
}

// reachesBack returns ErrUnknown where entries behind w.after may have been in the
// stream that are not there any more.
func (w *streamWriter) reachesBack(ctx context.Context) error {
	s, err := xinfo(ctx, w.connection, w.name)
	if err != nil {
		return err
	}
	if newerID(w.after, s.last) || s.trimmed(w.after) {
		return ErrUnknown
	}
	return nil
}

// connect sees to it that there is a connection that works, and that the stream is
// read from a place before everything that is written.
func (w *streamWriter) connect(ctx context.Context) error {
	if w.connection != nil {
		select {
		case <-w.lost: // while nothing was in doubt
			w.disconnect()
		default:
			return nil
		}
	}
	if w.reader.position() == "" {
		return fmt.Errorf("redisadapter: the stream is not read yet: %w", orNotConnected(w.reader.ready()))
	}
	d, release, id, err := dedicate(ctx, w.connector, w.name, w.identity, w.patience)
	if err != nil {
		return err
	}
	w.connection, w.release, w.identity = d, release, id
	// The client then reads all the time, and so notices the end.
	w.lost = d.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(rueidis.PubSubMessage) {}})
	return nil
}

func (w *streamWriter) disconnect() {
	if w.connection != nil {
		w.connection.Close()
		w.release()
		w.connection = nil
	}
}

// ready says why nothing can be appended.
func (w *streamWriter) ready() error { return lasting(w.failure.Load(), "nothing appended") }

// close sends what waits until ctx is done.
func (w *streamWriter) close(ctx context.Context) error {
	err := w.outbox.Close(ctx)
	w.disconnect()
	return err
}
