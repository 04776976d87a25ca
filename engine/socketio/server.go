package socketio

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
)

// Server is a Socket.IO server: Node's Server. What it does as a namespace (Emit,
// To, OnConnect, …) it does for the default one, "/". Every method is safe for
// concurrent use.
type Server struct {
	options  Options        // immutable
	limits   parser.Limits  // immutable
	engine   *engine.Server // immutable
	main     *Namespace     // immutable
	files    *clientFiles   // immutable; nil for none
	log      *eventLog      // immutable
	expiries expiries
	ids      idSource
	stats    counters
	surveys  atomic.Int64 // broadcasts that wait for acknowledgements

	limitsEIO3 parser.Limits // immutable: of clients of Socket.IO 2

	namespaces atomic.Pointer[map[string]*Namespace] // replaced, never changed in place
	creating   sync.Mutex                            // held while namespaces, or what is below, is changed
	makers     map[string]func() *Namespace          // guarded by creating; each makes its namespace once
	numbers    uint64                                // given to namespaces; guarded by creating
	sealed     bool                                  // guarded by creating: the adapters are being closed
	parents    atomic.Pointer[[]*ParentNamespace]    // replaced, never changed in place; nil for none
	children   map[string]*child                     // guarded by creating
	newcomers  []func(*Namespace)                    // of OnNewNamespace; guarded by creating

	workers  atomic.Pointer[pool] // made by Listen, before the first session
	starting sync.Mutex           // held while Listen looks and starts, and when the stop begins
	draining atomic.Bool
	closed   atomic.Bool
	stopping sync.Once
	stopped  chan struct{}   // closed when the stop is over
	stopErr  error           // of Shutdown; read after stopped
	base     context.Context // of disconnect functions; done when Shutdown waits no longer
	release  context.CancelCauseFunc
}

// New returns a server that does not listen yet. Node: new Server(opts).
func New(o Options) *Server {
	v := &Server{options: o.withDefaults(), stopped: make(chan struct{})}
	if parser.ReservedName([]byte(v.options.ExpiredEvent)) {
		panic("socketio: Options.ExpiredEvent is a reserved name: " + v.options.ExpiredEvent)
	}
	if v.options.OnError == nil {
		v.options.OnError = v.logError
	}
	v.log = newEventLog(v)
	v.limits = parser.Limits{Attachments: v.options.MaxAttachments, Depth: v.options.MaxDepth}
	v.limitsEIO3 = v.limits
	v.limitsEIO3.Namespace = maxEIO3Namespace
	v.base, v.release = context.WithCancelCause(context.Background())
	floor := v.options.engine(v.accept)
	v.files, _ = floor.Handler.(*clientFiles)
	e, err := engine.New(floor)
	if err != nil { // Accept is there: an option asks for what there is not
		panic("socketio: " + err.Error())
	}
	v.engine = e
	v.namespaces.Store(new(map[string]*Namespace))
	v.makers = make(map[string]func() *Namespace)
	v.children = make(map[string]*child)
	v.Of("/") // becomes main
	return v
}

// Of returns the namespace of this name, making it at the first call. A slash in
// front is added where it is missing; "" and "/" are the default namespace. A name
// that the pattern of a parent matches makes a child of that one, whatever
// Options.MaxChildNamespaces says; see [Server.OfPattern]. No client can name a
// namespace with a comma in it, so Of panics at one. Node: io.of.
func (v *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	if strings.Contains(name, ",") {
		panic("socketio: comma in the name of a namespace: " + name)
	}
	if n := (*v.namespaces.Load())[name]; n != nil {
		return n
	}
	if parent := v.parentFor(name); parent != nil {
		n, _ := v.childOf(context.Background(), parent, name, false) // without a guest nothing fails
		return n
	}
	return v.maker(name)()
}

// parentFor returns the parent of the child that is called name, or of the one that
// is to be: nil where it is none.
func (v *Server) parentFor(name string) *Namespace {
	v.creating.Lock()
	c := v.children[name]
	v.creating.Unlock()
	if c != nil {
		return c.parent
	}
	if p := v.patterned(name); p != nil {
		return p.Namespace
	}
	return nil
}

// maker returns what makes the namespace for the first who calls it, and lets all
// others wait for that one. It does not run under the lock: an adapter may ask for
// other namespaces while it is made.
func (v *Server) maker(name string) func() *Namespace {
	v.creating.Lock()
	defer v.creating.Unlock()
	m := v.makers[name]
	if m == nil {
		i := v.number()
		m = sync.OnceValue(func() *Namespace { return v.create(name, i) })
		v.makers[name] = m
	}
	return m
}

// nowhere is the number of no namespace.
const nowhere = 0

// number returns one that no namespace had before. Called with creating held.
func (v *Server) number() uint64 {
	v.numbers++
	return v.numbers
}

// create makes namespace number i and its adapter, and lets clients find it. What
// is made once the adapters are being closed closes its own.
func (v *Server) create(name string, i uint64) *Namespace {
	n := newNamespace(v, name, i)
	n.times = new(durations)
	if name == "/" {
		v.main = n
	}
	v.equip(n)
	v.announce(n)
	if v.publish(n) {
		_ = n.adapter.Close()
	}
	return n
}

// equip gives a namespace the adapter that the options ask for.
func (v *Server) equip(n *Namespace) {
	if v.options.Adapter != nil {
		n.adapter = v.options.Adapter(n.adapter.(*MemoryAdapter))
		n.ids, _ = n.adapter.(IDAdapter)
	}
	if v.log.recovery == nil {
		return
	}
	n.keeper, _ = n.adapter.(SessionKeeper)
	if a, ok := n.adapter.(OffsetAdapter); ok {
		n.offsets = a
		n.logged.Store(true)
	}
}

// publish enters a namespace and reports whether that was too late for Shutdown
// to close its adapter.
func (v *Server) publish(n *Namespace) (late bool) {
	v.creating.Lock()
	defer v.creating.Unlock()
	next := maps.Clone(*v.namespaces.Load())
	if next == nil {
		next = make(map[string]*Namespace)
	}
	next[n.name] = n
	v.namespaces.Store(&next)
	return v.sealed
}

// seal returns the namespaces whose adapters are to be closed, and what tells of
// those that are being closed already. Those that are made later close theirs
// themselves.
func (v *Server) seal() (open []*Namespace, closing []<-chan struct{}) {
	v.creating.Lock()
	defer v.creating.Unlock()
	v.sealed = true
	open = slices.Collect(maps.Values(*v.namespaces.Load()))
	for _, c := range v.children {
		if c.closing {
			closing = append(closing, c.changed)
		} else if c.nsp != nil {
			open = append(open, c.nsp)
		}
	}
	return open, closing
}

// find returns the namespace that a client asks for, or nil where it is not there.
// The client is to be counted out again: see [Server.part].
func (v *Server) find(name []byte) *Namespace {
	if n := (*v.namespaces.Load())[string(name)]; n != nil {
		return n
	}
	if v.parents.Load() == nil {
		return nil
	}
	return v.guest(name)
}

// onlyDefault reports whether clients can join no other namespace.
func (v *Server) onlyDefault() bool {
	return len(*v.namespaces.Load()) == 1 && v.parents.Load() == nil
}

// schedule has a worker work off the socket's mailbox. Without workers, as before
// Listen, there are no clients whose mailbox it could be.
func (v *Server) schedule(s *Socket) { v.workers.Load().schedule(s) }
