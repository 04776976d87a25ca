package natsadapter

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// Errors of this package.
var (
	ErrClosed     = errors.New("natsadapter: the node is closed")
	ErrOutboxFull = errors.New("natsadapter: too much waits to be sent; see Options.Outbox")
)

// Node is this process among the servers of a cluster: one name, one connection to NATS and
// one queue for all namespaces. Its methods are safe for concurrent use.
type Node struct {
	options Options
	id      serverID
	uid     string // id in hexadecimal
	prefix  string // of all subjects: sio.<cluster>.
	nc      *nats.Conn
	inbox   chan *nats.Msg // of all subscriptions: across them, too, the order of each server is kept

	outbox   *cluster.Outbox
	journal  *journal // nil without JetStream
	window   *window
	sending  *sending
	interest *interest
	told     *nats.Subscription // broadcasts to all, of any namespace: one that begins here is heard at once
	asked    *nats.Subscription // questions to all
	answered *nats.Subscription // what is for this server only

	numbers counters
	pulse   pulse         // of the goroutine only
	eager   chan struct{} // asks for a heartbeat at once
	stop    chan struct{} // closed by Close
	stopped chan struct{} // closed when the goroutine has ended

	mu       sync.RWMutex
	links    map[string]*link   // by token of the namespace; guarded by mu
	peers    map[serverID]*peer // that are there; changed by the goroutine only, with mu held
	departed map[serverID]*peer // that were, and may come back; of the goroutine only
	downAt   time.Time          // when the connection was lost; zero while there is one; guarded by mu
	closed   bool               // guarded by mu
	arrival  chan struct{}      // closed when peers change, and made anew; guarded by mu
}

// counters are numbers for Stats.
type counters struct {
	queued, received, malformed, refused, lost, slow, homeless atomic.Uint64
	lostAt                                                     atomic.Int64 // ns since 1970
}

// Connect joins the cluster. ctx bounds the connecting, not the Node, which is to be closed
// after the servers that use it.
func Connect(ctx context.Context, options Options) (*Node, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	n := newNode(options)
	if n.nc = options.Conn; n.nc == nil {
		if n.nc, err = n.dial(); err != nil {
			return nil, err
		}
	}
	if err := n.listen(); err != nil {
		if options.Conn == nil {
			n.nc.Close()
		}
		return nil, fmt.Errorf("natsadapter: joining: %w", err)
	}
	n.outbox = cluster.NewOutbox(options.Outbox, n.send)
	n.interest = newInterest(options.Linger, n.subscribe, n.failed)
	if options.JetStream != nil {
		if n.journal, err = newJournal(n); err != nil {
			n.journal = nil
		}
	}
	go n.run()
	if err := errors.Join(err, n.introduce(ctx)); err != nil {
		_ = n.Close()
		return nil, fmt.Errorf("natsadapter: joining: %w", err)
	}
	return n, nil
}

func newNode(options Options) *Node {
	uid := cluster.NewUID()
	id, _ := strconv.ParseUint(uid, 16, 64) // it is that
	n := &Node{
		options: options, id: serverID(id), uid: uid,
		prefix:  root + token(options.Cluster) + ".",
		inbox:   make(chan *nats.Msg, options.Inbox),
		sending: newSending(options.MaxLanes),
		eager:   make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
		links: make(map[string]*link), peers: make(map[serverID]*peer), departed: make(map[serverID]*peer),
		arrival: make(chan struct{}),
	}
	setDefault(&n.options.Name, n.uid)
	n.window = newWindow(options.WindowMessages, options.WindowBytes, options.HeartbeatInterval, func(at progress) {
		n.control(nodeToken+questions, kindMark, appendProgress(nil, at))
	})
	return n
}

// listen hears what every server does.
func (n *Node) listen() (err error) {
	if n.told, err = n.subscribe(n.prefix + "*" + toAll); err != nil {
		return err
	}
	if n.asked, err = n.subscribe(n.prefix + "*" + questions); err != nil {
		return err
	}
	n.answered, err = n.subscribe(n.prefix + "*" + toOne + n.uid)
	return err
}

// introduce tells the others of this server, and waits until NATS has that.
func (n *Node) introduce(ctx context.Context) error {
	if _, bounded := ctx.Deadline(); !bounded { // as nats.go wants it
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
	}
	n.beat(cluster.InitialHeartbeat, nodeToken+questions)
	return n.nc.FlushWithContext(ctx)
}

func (n *Node) subscribe(subject string) (*nats.Subscription, error) {
	return n.nc.ChanSubscribe(subject, n.inbox)
}

// UID is what other servers call this one, in all namespaces.
func (n *Node) UID() string { return n.uid }

// Adapter is for socketio.Options.Adapter, of one server or several: it connects a namespace
// with those of the same name on other servers.
func (n *Node) Adapter(local *socketio.MemoryAdapter) socketio.Adapter {
	var a socketio.Adapter
	var err error
	if n.journal != nil && local.Recovery() != nil {
		a, err = cluster.NewLogged(local, n.uid, n.options.Adapter, n.journal.tail, n.openLogged)
	} else {
		a, err = cluster.New(local, n.uid, n.options.Adapter, n.open)
	}
	if err != nil {
		n.options.Logger.Error("natsadapter: a namespace is alone", "namespace", local.Namespace().Name(), "error", err)
		return local
	}
	return a
}

// WaitPeers waits until this server knows of that many others.
func (n *Node) WaitPeers(ctx context.Context, others int) error {
	for {
		n.mu.RLock()
		known, arrival := len(n.peers), n.arrival
		n.mu.RUnlock()
		if known >= others {
			return nil
		}
		select {
		case <-arrival:
		case <-n.stop:
			return ErrClosed
		case <-ctx.Done():
			return fmt.Errorf("natsadapter: %d of %d other servers are there: %w", known, others, context.Cause(ctx))
		}
	}
}

// Close says goodbye, once what waits is sent, for which there are 2 s.
func (n *Node) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return nil
	}
	n.closed = true
	n.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var err error
	if n.journal != nil {
		err = n.journal.close(ctx)
	}
	err = errors.Join(err, n.outbox.Close(ctx))
	subs := append(n.interest.close(), n.told, n.asked, n.answered)
	n.control(nodeToken+questions, uint8(cluster.AdapterClose), nil)
	for _, s := range subs {
		_ = s.Unsubscribe() // fails where the connection is gone, and it with it
	}
	_ = n.nc.FlushWithContext(ctx) // as above
	close(n.stop)
	<-n.stopped
	if n.options.Conn == nil {
		n.nc.Close()
	}
	return err
}

// control sends a frame that nobody counts, past the Outbox.
func (n *Node) control(to string, kind uint8, payload []byte) {
	_ = n.nc.Publish(n.prefix+to, append(appendHead(nil, kind, n.id), payload...)) // fails while the connection is away, as Ready says
}

// layout is what all servers of a cluster must agree on.
func (o *Options) layoutName() string {
	switch o.Subjects {
	case Static:
		return "static"
	case PerRoom:
		return "per room"
	}
	return "hashed over " + strconv.Itoa(o.Shards)
}

func (n *Node) disconnected(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.downAt = time.Now()
	if !n.closed {
		n.options.Logger.Warn("natsadapter: the connection to NATS is lost", "error", err)
	}
}

func (n *Node) reconnected() {
	n.mu.Lock()
	away := time.Since(n.downAt)
	n.downAt = time.Time{}
	n.mu.Unlock()
	n.options.Logger.Info("natsadapter: connected again", "away", away.Round(time.Millisecond))
	select {
	case n.eager <- struct{}{}:
	default:
	}
}

// failed is told of what nats.go has nobody else to tell.
func (n *Node) failed(err error) {
	if errors.Is(err, nats.ErrSlowConsumer) {
		n.numbers.slow.Add(1) // what was dropped shows in the numbers of frames
		return
	}
	n.options.Logger.Warn("natsadapter: NATS reports", "error", err)
}
