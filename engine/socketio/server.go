package socketio

import (
	"context"
	"maps"
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
	options Options        // immutable
	limits  parser.Limits  // immutable
	engine  *engine.Server // immutable
	main    *Namespace     // immutable
	ids     *idSource
	stats   counters

	namespaces atomic.Pointer[map[string]*Namespace] // replaced, never changed in place
	creating   sync.Mutex                            // held while namespaces is replaced

	workers  atomic.Pointer[pool] // made by Listen, before the first session
	closed   atomic.Bool
	stopping sync.Once
	stopErr  error           // of Shutdown; written within stopping
	base     context.Context // of disconnect functions; done when Shutdown waits no longer
	release  context.CancelFunc
}

// New returns a server that does not listen yet. Node: new Server(opts).
func New(o Options) *Server {
	v := &Server{options: o.withDefaults(), ids: newIDSource()}
	if v.options.OnError == nil {
		v.options.OnError = v.logError
	}
	v.limits = parser.Limits{Attachments: v.options.MaxAttachments, Depth: v.options.MaxDepth}
	v.base, v.release = context.WithCancel(context.Background())
	v.namespaces.Store(new(map[string]*Namespace))
	v.main = v.Of("/")
	e, err := engine.New(v.options.engine(v.accept))
	if err != nil { // Accept is there; nothing else is refused
		panic("socketio: " + err.Error())
	}
	v.engine = e
	return v
}

// Of returns the namespace of this name, making it at the first call. A slash in
// front is added where it is missing; "" and "/" are the default namespace. No
// client can name a namespace with a comma in it, so Of panics at one. Node: io.of.
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
	v.creating.Lock()
	defer v.creating.Unlock()
	all := *v.namespaces.Load()
	if n := all[name]; n != nil {
		return n
	}
	n := newNamespace(v, name, len(all))
	next := maps.Clone(all)
	if next == nil {
		next = make(map[string]*Namespace)
	}
	next[name] = n
	v.namespaces.Store(&next)
	return n
}

// find returns the namespace that a client asks for, or nil.
func (v *Server) find(name []byte) *Namespace {
	return (*v.namespaces.Load())[string(name)]
}

// onlyDefault reports whether clients can join no other namespace.
func (v *Server) onlyDefault() bool { return len(*v.namespaces.Load()) == 1 }

// schedule has a worker work off the socket's mailbox. Without workers, as before
// Listen, there are no clients whose mailbox it could be.
func (v *Server) schedule(s *Socket) { v.workers.Load().schedule(s) }
