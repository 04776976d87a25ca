package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Options configure an Adapter. The zero value of each field means its default.
type Options struct {
	// RequestTimeout is how long answers are waited for where nothing says otherwise;
	// default 5 s. Node: requestsTimeout.
	RequestTimeout time.Duration
	// MaxRequests is how many requests of this server may wait for their answers, and how
	// many of the others' may be at work here; default 10,000. Beyond it ours fail at
	// once, and the others' are not answered. Per namespace.
	MaxRequests int
	// HideHandshake keeps what a client sent when it connected from other servers, which
	// FetchSockets otherwise tells them: headers with cookies, query and auth.
	HideHandshake bool
	// Logger gets what an operator should know; default slog.Default().
	Logger *slog.Logger
	// Pulse has the tallies of several namespaces sent together; default one for each.
	Pulse *Pulse
}

// Adapter connects one namespace with other servers, over a Link. It delivers here
// first, and has the Link tell the others. Safe for concurrent use.
type Adapter struct {
	*socketio.MemoryAdapter
	options  Options      // immutable
	uid      string       // immutable
	link     Link         // immutable once opened
	lanes    Lanes        // immutable once opened; nil where all is one lane
	interest *interest    // immutable once opened; nil where the Link is not Interested
	ids      IDInterested // immutable once opened; nil where the Link is not
	own      bool         // immutable once opened: see Own
	opened   atomic.Bool
	early    early

	base     context.Context // immutable: done when the Adapter is closed
	end      context.CancelCauseFunc
	work     sync.WaitGroup // goroutines that answer others
	requests requests       // ours
	polls    servings       // others' broadcasts with acknowledgements
	answers  atomic.Int64   // goroutines in work
	turns    chan struct{}  // of those that are at it
	sent     sent
	peers    peers
	stats    counters
}

var _ socketio.Adapter = (*Adapter)(nil)

// New returns the Adapter of a namespace. open makes its Link, which may call Receive
// from then on.
func New(local *socketio.MemoryAdapter, uid string, options Options, open func(*Adapter) (Link, error)) (*Adapter, error) {
	options.RequestTimeout = cmp.Or(options.RequestTimeout, 5*time.Second)
	options.MaxRequests = cmp.Or(options.MaxRequests, 10_000)
	options.Logger = cmp.Or(options.Logger, slog.Default())
	options.Pulse = cmp.Or(options.Pulse, new(Pulse))
	a := &Adapter{MemoryAdapter: local, uid: uid, options: options, turns: make(chan struct{}, maxAnswering)}
	a.base, a.end = context.WithCancelCause(context.Background())
	link, err := open(a)
	if err != nil {
		a.end(err)
		return nil, err
	}
	a.link = link
	a.lanes, _ = link.(Lanes)
	if own, ok := link.(Own); ok {
		a.own = own.OwnKind()
	}
	if i, ok := link.(Interested); ok {
		a.interest = newInterest(i)
	}
	a.ids, _ = link.(IDInterested)
	a.answerEarly()
	a.Missed() // whatever was before
	return a, nil
}

// UID is what this Adapter is called among those of its namespace.
func (a *Adapter) UID() string { return a.uid }

// Broadcast implements socketio.Adapter: here first. What the Link has no room for is
// an error, unless it is volatile; those here have got it all the same.
func (a *Adapter) Broadcast(p *socketio.Broadcast) error {
	if err := a.MemoryAdapter.Broadcast(p); err != nil || p.Flags.Local {
		return err
	}
	m := messages.Get().(*Message)
	m.Type = Broadcast
	m.Packet = Packet{JSON: p.Array, Attachments: p.Attachments}
	m.Opts.Rooms, m.Opts.Except, m.Opts.Flags = p.Rooms, p.Except, p.Flags
	err := a.publish(m)
	*m = Message{}
	messages.Put(m)
	if p.Flags.Volatile {
		return nil
	}
	return err
}

// messages are reused by Broadcast, which is to allocate nothing.
var messages = sync.Pool{New: func() any { return new(Message) }}

// publish has the Link send m, and counts it.
func (a *Adapter) publish(m *Message) error {
	m.UID = a.uid
	err := a.sent.publish(a, m)
	if err != nil {
		a.stats.dropped.Add(1)
		return fmt.Errorf("cluster: telling other servers: %w", err)
	}
	a.stats.published.Add(1)
	return nil
}

// everywhere tells the others what was done here, unless it was for here only.
func (a *Adapter) everywhere(here error, sel *socketio.Selection, m *Message) error {
	if sel.Local {
		return here
	}
	m.Opts = optsOf(sel)
	return errors.Join(here, a.publish(m))
}

func optsOf(sel *socketio.Selection) Opts { return Opts{Rooms: sel.Rooms, Except: sel.Except} }

// AddSockets implements socketio.Adapter.
func (a *Adapter) AddSockets(sel *socketio.Selection, rooms []string) error {
	return a.everywhere(a.MemoryAdapter.AddSockets(sel, rooms), sel, &Message{Type: SocketsJoin, Rooms: rooms})
}

// DelSockets implements socketio.Adapter.
func (a *Adapter) DelSockets(sel *socketio.Selection, rooms []string) error {
	return a.everywhere(a.MemoryAdapter.DelSockets(sel, rooms), sel, &Message{Type: SocketsLeave, Rooms: rooms})
}

// DisconnectSockets implements socketio.Adapter.
func (a *Adapter) DisconnectSockets(sel *socketio.Selection, hangUp bool) error {
	return a.everywhere(a.MemoryAdapter.DisconnectSockets(sel, hangUp), sel, &Message{Type: DisconnectSockets, Close: hangUp})
}

// ServerCount implements socketio.Adapter.
func (a *Adapter) ServerCount(ctx context.Context) (int, error) {
	n, _, err := a.link.Others(ctx)
	return n + 1, err
}

// Close implements socketio.Adapter: it ends all requests, says what is to be said last,
// and closes the Link.
func (a *Adapter) Close() error {
	a.requests.close()
	a.end(ErrClosed)
	a.polls.stop(func(*serving) bool { return true })
	a.work.Wait()
	a.sent.close(a)
	return errors.Join(a.link.Close(), a.MemoryAdapter.Close())
}
