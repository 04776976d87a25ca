package socketio

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"
)

// Answer is one socket's acknowledgement of a broadcast.
type Answer[R any] struct {
	SocketID string // empty where another server does not say whose answer it is
	Value    R
}

// Asker sends events that many acknowledge: *Server and *Namespace ask everyone, a
// BroadcastOperator whom it selects.
type Asker interface {
	AskAll(ctx context.Context, event string, args ...any) iter.Seq2[Answer[Args], error]
}

var (
	_ Asker = (*Server)(nil)
	_ Asker = (*Namespace)(nil)
	_ Asker = BroadcastOperator{}
)

// AskAll sends the event to the selected sockets when the loop over its result
// begins, and yields one result per socket as they come: its acknowledgement, or its
// id with an error: [ErrDisconnected] at once when it goes, ctx's error when that is
// done first, [context.DeadlineExceeded] in Node's words after Options.AckTimeout
// where ctx has no deadline. An error without a socket's id is about all of them: the
// event could not be sent (see [Emitter]; [ErrTooManyAcks]), or it was time before it was
// known who is selected; from an adapter, some server has not answered. Leaving the loop early gives up the rest. That nobody is
// selected is no error. Acknowledgements of those who were not asked are ignored.
//
// It waits, so it is not for [Inline] handlers.
//
//	for a, err := range io.To("lobby").AskAll(ctx, "ready?") {
//		…
//	}
func (b BroadcastOperator) AskAll(ctx context.Context, event string, args ...any) iter.Seq2[Answer[Args], error] {
	return func(yield func(Answer[Args], error) bool) {
		if err := b.askAll(ctx, event, args, yield); err != nil {
			yield(Answer[Args]{}, err)
		}
	}
}

// AskAll asks everyone; see [BroadcastOperator.AskAll].
func (n *Namespace) AskAll(ctx context.Context, event string, args ...any) iter.Seq2[Answer[Args], error] {
	return n.all().AskAll(ctx, event, args...)
}

// AskAll sends the event to those whom to selects and yields each acknowledgement as it
// comes, with the id of its socket. One that is no R is an [*ArgError]. Otherwise it is
// as [BroadcastOperator.AskAll].
func (c Call[T, R]) AskAll(ctx context.Context, to Asker, v T) iter.Seq2[Answer[R], error] {
	return func(yield func(Answer[R], error) bool) {
		decode := decoderOf[R]()
		for a, err := range to.AskAll(ctx, string(c), v) {
			r := Answer[R]{SocketID: a.SocketID}
			if err == nil {
				if r.Value, err = decode(a.Value); err != nil {
					err = &ArgError{Event: string(c), Err: err}
				}
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// EmitWithAck sends the event to the selected sockets and returns their
// acknowledgements when all are there, in the order in which they came. Where some
// are missing it returns those that came and a [*MissingAcksError], which names who
// has not answered and why; any other error is about all of them, as with AskAll. Node: emitWithAck, whose error carries responses.
func (b BroadcastOperator) EmitWithAck(ctx context.Context, event string, args ...any) ([]Answer[Args], error) {
	var all []Answer[Args]
	missing := &MissingAcksError{Event: event}
	err := b.askAll(ctx, event, args, func(a Answer[Args], err error) bool {
		if err == nil {
			all = append(all, a)
		} else {
			missing.Missing = append(missing.Missing, MissingAck{a.SocketID, err})
		}
		return true
	})
	if err == nil && len(missing.Missing) > 0 {
		err = missing
	}
	return all, err
}

// EmitWithAck asks everyone; see [BroadcastOperator.EmitWithAck].
func (n *Namespace) EmitWithAck(ctx context.Context, event string, args ...any) ([]Answer[Args], error) {
	return n.all().EmitWithAck(ctx, event, args...)
}

// MissingAck is a socket that has not acknowledged a broadcast, and why.
type MissingAck struct {
	SocketID string // empty where another server does not say
	Err      error
}

// MissingAcksError says that a broadcast was sent, and that not everybody has
// acknowledged it. errors.Is finds the reasons.
type MissingAcksError struct {
	Event   string
	Missing []MissingAck
}

// Error counts, and gives the first reason.
func (e *MissingAcksError) Error() string {
	return fmt.Sprintf("socketio: %d acknowledgements of %q are missing: %v", len(e.Missing), e.Event, e.Missing[0].Err)
}

// Unwrap returns the reasons.
func (e *MissingAcksError) Unwrap() []error {
	errs := make([]error, len(e.Missing))
	for i, m := range e.Missing {
		errs[i] = m.Err
	}
	return errs
}

// askAll sends the event and yields what comes. The error is about all who were to be
// asked.
func (b BroadcastOperator) askAll(ctx context.Context, event string, args []any, yield func(Answer[Args], error) bool) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("socketio: acknowledgements of %q: %w", event, context.Cause(ctx))
	}
	e, err := b.outgoing(event, args)
	if err != nil {
		return err
	}
	expired, timeout, release := b.nsp.server.patience(ctx)
	defer release()
	g := newGathering(b.nsp.server)
	end, err := b.nsp.adapter.BroadcastWithAck(&Broadcast{
		Array: e.array.B, Attachments: e.attachments,
		Rooms: b.rooms, Except: b.except, Flags: b.flags, Timeout: timeout,
	}, g)
	e.free()
	if err != nil {
		return err
	}
	var once sync.Once
	stop := func(reason error) { once.Do(func() { end(reason) }) }
	defer stop(context.Canceled) // all is there, or the caller has left the loop
	for {
		batch, complete := g.take()
		if !yieldAll(batch, yield) || complete {
			return nil
		}
		select {
		case <-g.wake:
			continue
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-expired:
			err = timedOut{}
		case <-b.nsp.server.stopped:
			err = ErrServerClosed
		}
		break
	}
	if err == context.DeadlineExceeded {
		err = timedOut{}
	}
	err = fmt.Errorf("socketio: acknowledgement of %q: %w", event, err)
	stop(err)
	if batch, _ := g.take(); !yieldAll(batch, yield) || g.settled() {
		return nil
	}
	return err // and not everybody was asked by then
}

func yieldAll(batch []AckAnswer, yield func(Answer[Args], error) bool) bool {
	for _, a := range batch {
		if !yield(Answer[Args]{a.SocketID, a.Args}, a.Err) {
			return false
		}
	}
	return true
}

// patience is how long an acknowledgement is waited for: until ctx's deadline, or
// where it has none Options.AckTimeout, after which expired fires.
func (v *Server) patience(ctx context.Context) (expired <-chan time.Time, timeout time.Duration, release func()) {
	if d, ok := ctx.Deadline(); ok {
		return nil, max(time.Until(d), 1), func() {}
	}
	d := v.options.AckTimeout
	if d < 0 {
		return nil, 0, func() {}
	}
	t := time.NewTimer(d)
	return t.C, d, func() { t.Stop() }
}

// gathering is the AckSink of one AskAll: what came and was not yielded yet.
type gathering struct {
	limit int           // immutable: bytes in queue
	stats *counters     // immutable
	wake  chan struct{} // capacity 1: there is something new

	mu    sync.Mutex
	queue []AckAnswer // guarded by mu
	bytes int         // in queue; guarded by mu
	got   int         // results so far; guarded by mu
	want  int         // results in all, -1 while unknown; guarded by mu
}

var _ AckSink = (*gathering)(nil)

func newGathering(v *Server) *gathering {
	return &gathering{limit: v.options.MaxAnswerBytes, stats: &v.stats, wake: make(chan struct{}, 1), want: -1}
}

// Answer implements AckSink.
func (g *gathering) Answer(a AckAnswer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := a.Args.size(); g.bytes > 0 && g.bytes+n > g.limit {
		a.Args, a.Err = Args{}, ErrAnswersTooLarge
		g.stats.acksRefused.Add(1)
	} else {
		g.bytes += n
	}
	g.queue = append(g.queue, a)
	g.got++
	g.signal()
}

// Settled implements AckSink.
func (g *gathering) Settled(sockets int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.want = sockets
	g.signal()
}

// settled reports whether it is known who was asked.
func (g *gathering) settled() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.want >= 0
}

func (g *gathering) signal() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// take returns what has come since the last time, and whether that was all.
func (g *gathering) take() (batch []AckAnswer, complete bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	batch, g.queue, g.bytes = g.queue, nil, 0
	return batch, g.got == g.want
}
