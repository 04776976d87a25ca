package natsadapter

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// JetStreamOptions have the events of servers with recovery
// (socketio.Options.ConnectionStateRecovery) kept by JetStream, so that clients have their
// sockets again on any server. The zero value of each field means its default. They count
// for the streams that are made; those that exist stay as they are.
type JetStreamOptions struct {
	// Replicas is how many servers of NATS keep everything: 1, 3 or 5; default 1. With 3,
	// one of them may fail.
	Replicas int
	// InMemory keeps everything in memory, not in files. With one replica all is lost then
	// when that server of NATS stops.
	InMemory bool
	// MaxBytes and MaxAge bound the events that are kept; default 256 MiB and 10 min,
	// which should be more than Recovery.MaxDisconnectionDuration.
	MaxBytes int64
	MaxAge   time.Duration
	// MaxSessionBytes bounds the sockets that are stored; default 128 MiB.
	MaxSessionBytes int64
	// Timeout is how long JetStream is waited for at a time; default 2 s.
	Timeout time.Duration
	// Outbox bounds what waits to be appended; see cluster.OutboxOptions.
	Outbox cluster.OutboxOptions
	// Tail is about the events that are kept in this process.
	Tail cluster.TailOptions
}

func (o JetStreamOptions) withDefaults() JetStreamOptions {
	setDefault(&o.Replicas, 1)
	setDefault(&o.MaxBytes, 256<<20)
	setDefault(&o.MaxAge, 10*time.Minute)
	setDefault(&o.MaxSessionBytes, 128<<20)
	setDefault(&o.Timeout, 2*time.Second)
	return o
}

// journal is the log of a Node: one stream of JetStream for the events of all namespaces and
// servers, and one for sockets.
//
// A message of the stream is a batch: what one server had to append at that moment. There
// is one on its way at a time, and it says which message of its server it follows, so that
// JetStream refuses it in another place: whatever is tried again, in whatever state a
// connection or a leader was lost, nothing is there twice, and nothing in another order.
type journal struct {
	node    *Node
	options JetStreamOptions
	js      jetstream.JetStream
	publish func(context.Context, *nats.Msg, ...jetstream.PublishOpt) (*jetstream.PubAck, error) // js.PublishMsg, of batches
	events  string                                                                               // the stream's name
	sockets string                                                                               // that of the other
	subject string                                                                               // of this server's batches
	outbox  *cluster.Outbox
	tail    *cluster.Tail
	ctx     context.Context
	cancel  context.CancelFunc
	work    sync.WaitGroup

	life    atomic.Int64          // of the stream that is read; 0 where there is none yet
	trouble atomic.Pointer[error] // why the stream is not read
	appends atomic.Uint64         // batches that are there
	retries atomic.Uint64         // attempts that came to nothing

	// Of the Outbox's goroutine only.
	wroteIn int64  // the life of the stream that last is about
	last    uint64 // where in the stream the latest batch of this server is
	number  uint64 // how many batches there were
}

var errNotThere = errors.New("natsadapter: JetStream is not there")

func newJournal(n *Node) (*journal, error) {
	o := n.options.JetStream.withDefaults()
	js, err := jetstream.New(n.nc, jetstream.WithDefaultTimeout(o.Timeout))
	if err != nil {
		return nil, fmt.Errorf("natsadapter: %w", err)
	}
	name := "fanfare-" + token(n.options.Cluster)
	j := &journal{
		node: n, options: o, js: js, publish: js.PublishMsg, events: name + "-events", sockets: name + "-sockets",
		subject: n.prefix + "h." + n.uid,
	}
	setDefault(&o.Tail.Logger, n.options.Logger)
	j.tail = cluster.NewTail(j, o.Tail)
	j.ctx, j.cancel = context.WithCancel(context.Background())
	j.outbox = cluster.NewOutbox(o.Outbox, j.send)
	j.work.Go(j.read)
	return j, nil
}

func (j *journal) close(ctx context.Context) error {
	err := j.outbox.Close(ctx)
	j.tail.Close()
	j.cancel()
	j.work.Wait()
	return err
}

// ready returns nil while events are read, and those of this server are appended.
func (j *journal) ready() error {
	if why := j.trouble.Load(); why != nil {
		return fmt.Errorf("%w: %w", errNotThere, *why)
	}
	if j.life.Load() == 0 {
		return errNotThere
	}
	return j.tail.Ready()
}

// streams makes the streams where they do not exist.
func (j *journal) streams(ctx context.Context) (events jetstream.Stream, err error) {
	storage := jetstream.FileStorage
	if j.options.InMemory {
		storage = jetstream.MemoryStorage
	}
	events, err = j.stream(ctx, jetstream.StreamConfig{
		Name: j.events, Subjects: []string{j.node.prefix + "h.*"}, Storage: storage, Replicas: j.options.Replicas,
		MaxBytes: j.options.MaxBytes, MaxAge: j.options.MaxAge, MaxMsgsPerSubject: -1,
	})
	if err != nil {
		return nil, err
	}
	_, err = j.stream(ctx, jetstream.StreamConfig{
		Name: j.sockets, Subjects: []string{j.node.prefix + "s.*"}, Storage: storage, Replicas: j.options.Replicas,
		MaxBytes: j.options.MaxSessionBytes, MaxMsgsPerSubject: 1, AllowMsgTTL: true,
	})
	return events, err
}

func (j *journal) stream(ctx context.Context, c jetstream.StreamConfig) (s jetstream.Stream, err error) {
	if s, err = j.js.Stream(ctx, c.Name); !errors.Is(err, jetstream.ErrStreamNotFound) {
		return s, err
	}
	if s, err = j.js.CreateStream(ctx, c); errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return j.js.Stream(ctx, c.Name) // another server was quicker
	}
	return s, err
}

// openLogged makes the link of an adapter whose events are kept.
func (n *Node) openLogged(a *cluster.Logged) (cluster.LogLink, error) {
	l, err := n.attach(a.Namespace().Name(), a)
	if err != nil {
		return nil, err
	}
	return &loggedLink{l, a, n.journal}, nil
}

// loggedLink is the link of a namespace whose events are kept.
type loggedLink struct {
	*link
	logged  *cluster.Logged
	journal *journal
}

var _ cluster.LogLink = (*loggedLink)(nil)

// Append implements cluster.LogLink. Where it does not succeed, JetStream is asked again
// until it does, or the Node is closed.
func (l *loggedLink) Append(m *cluster.Message) error {
	j := l.journal
	namespace := l.logged.Namespace().Name()
	entry, err := appendMessage(appendText(make([]byte, 0, 16+len(namespace)+sizeOf(m)), namespace), m)
	if err != nil {
		return err
	}
	if len(entry) > j.mostEntries() {
		return errTooLong
	}
	sequence := m.Sequence
	settled := func(_ string, err error) {
		if err != nil {
			l.logged.Settled(sequence, cluster.Unknown)
			return
		}
		l.logged.Settled(sequence, cluster.Kept)
	}
	if !j.outbox.Push(cluster.Outgoing{Body: entry, Settled: settled}) {
		return ErrOutboxFull
	}
	return nil
}

// mostEntries is how many bytes the entries of a batch may have: what NATS takes, less the
// headers of JetStream, and no large part of what is kept.
func (j *journal) mostEntries() int {
	return int(min(int64(j.node.mostPayload()-headSize-512), max(j.options.MaxBytes/8, 1024)))
}

// send appends a batch. It is what the Outbox calls; what it says has failed comes again as
// it was.
func (j *journal) send(ctx context.Context, batch []cluster.Outgoing) (done int, err error) {
	life := j.life.Load()
	if life == 0 {
		return 0, errNotThere
	}
	if life != j.wroteIn { // nothing of this server is in that stream yet
		j.wroteIn, j.last = life, 0
	}
	frame := appendHead(nil, kindBatch, j.node.id)
	setNumber(frame, j.number+1)
	for _, o := range batch {
		if done > 0 && len(frame)+len(o.Body)+binary.MaxVarintLen32 > j.mostEntries() {
			break
		}
		frame = appendText(frame, o.Body)
		done++
	}
	if err := j.append(ctx, frame); err != nil {
		j.retries.Add(1)
		return 0, err
	}
	j.number++
	j.appends.Add(1)
	for _, o := range batch[:done] {
		o.Settled("", nil)
	}
	return done, nil
}

// append returns nil once the next batch is in the stream, and an error while that is not
// known.
func (j *journal) append(ctx context.Context, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, j.options.Timeout)
	defer cancel()
	ack, err := j.publish(ctx, &nats.Msg{Subject: j.subject, Data: frame},
		jetstream.WithExpectLastSequencePerSubject(j.last), jetstream.WithRetryAttempts(0),
		jetstream.WithMsgID(j.node.uid+"-"+strconv.FormatUint(j.number+1, 10)))
	if err == nil {
		j.last = ack.Sequence
		return nil
	}
	var api *jetstream.APIError
	if !errors.As(err, &api) || api.ErrorCode != jetstream.JSErrCodeStreamWrongLastSequence && api.ErrorCode != jetstream.JSErrCodeStreamWrongLastSequenceConstant {
		return err
	}
	there, e := j.find(ctx)
	if there {
		return nil
	}
	return errors.Join(e, err)
}

// find looks for the latest batch of this server, since it is not where it was thought to
// be, and reports whether it is the next one: an attempt that seemed to have failed has not.
func (j *journal) find(ctx context.Context) (there bool, err error) {
	s, err := j.js.Stream(ctx, j.events)
	if err != nil {
		return false, err
	}
	m, err := s.GetLastMsgForSubject(ctx, j.subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		j.last = 0
		return false, nil
	}
	if err != nil {
		return false, err
	}
	j.last = m.Sequence
	h, _, err := readHead(m.Data)
	return err == nil && h.number == j.number+1, err
}
