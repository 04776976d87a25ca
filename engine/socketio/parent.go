package socketio

import (
	"context"
	"regexp"
	"slices"
	"strconv"
)

// ParentNamespace stands for all namespaces whose names a pattern or a function
// takes: its children, each made when its first client connects. Node:
// ParentNamespace.
//
// It is a Namespace without sockets of its own. What is registered with it
// (middlewares, connect functions, handlers, …) holds for each child, those that
// are there already included, and what is registered with a child holds for that one
// only. A handler of [Once] runs once, at whichever child is first. What is emitted
// to it reaches the sockets of all children that this server has, encoded once, and so
// do SocketsJoin, SocketsLeave and DisconnectSockets. What waits for sockets, such as
// AskAll, FetchSockets and Count, is [ErrParentNamespace], as in Node: another server
// may have children that this one has not. OnRoom and NewPresence see a parent's own
// sockets, and so nobody; a history of one stays empty. Every method is safe for concurrent use.
type ParentNamespace struct {
	*Namespace

	takes func(ctx context.Context, name string, auth Raw) bool // nil for a pattern
	match *regexp.Regexp
}

// OfPattern makes a parent of the namespaces whose names, which begin with a slash,
// match the pattern. A pattern without anchors matches parts of names, as in Node.
// Parents are asked in the order they were made; from then on [Server.Of] makes
// children, too, of names that match. See Options.MaxChildNamespaces and
// CleanupEmptyChildNamespaces. Node: io.of(/regexp/).
func (v *Server) OfPattern(pattern *regexp.Regexp) *ParentNamespace {
	return v.addParent(&ParentNamespace{match: pattern})
}

// OfFunc makes a parent of the namespaces whose names allow takes. It is asked when
// a client connects to a name that is not there, and may block: it runs on a worker,
// several calls at a time. ctx is done when the client leaves meanwhile; auth is the
// client's auth object, nil if it sent none, and valid until allow returns. A panic
// costs that client its connection. See [Server.OfPattern] for the rest. Node:
// io.of((name, auth, next) => …).
func (v *Server) OfFunc(allow func(ctx context.Context, name string, auth Raw) bool) *ParentNamespace {
	return v.addParent(&ParentNamespace{takes: allow})
}

// addParent enters p behind the parents there are. Its name is Node's for it, which
// no client can join.
func (v *Server) addParent(p *ParentNamespace) *ParentNamespace {
	v.creating.Lock()
	defer v.creating.Unlock()
	parents := v.allParents()
	p.Namespace = newNamespace(v, "/_"+strconv.Itoa(len(parents)), v.number())
	p.times = new(durations)
	p.children = make(map[*Namespace]struct{})
	p.adapter = &fanOut{newMemoryAdapter(p.Namespace)}
	parents = with(parents, p)
	v.parents.Store(&parents)
	return p
}

// allParents returns the parents in the order they are asked.
func (v *Server) allParents() []*ParentNamespace {
	if p := v.parents.Load(); p != nil {
		return *p
	}
	return nil
}

// patterned returns the first parent whose pattern the name matches, or nil.
func (v *Server) patterned(name string) *ParentNamespace {
	for _, p := range v.allParents() {
		if p.match != nil && p.match.MatchString(name) {
			return p
		}
	}
	return nil
}

// thinkable reports whether some parent may take the name; functions may take any.
func (v *Server) thinkable(name []byte) bool {
	return slices.ContainsFunc(v.allParents(), func(p *ParentNamespace) bool {
		return p.match == nil || p.match.Match(name)
	})
}

// parentOf asks one parent after the other; nil if none takes the name, or ctx is
// done first.
func (v *Server) parentOf(ctx context.Context, name string, auth Raw) *ParentNamespace {
	for _, p := range v.allParents() {
		takes := p.match != nil && p.match.MatchString(name) || p.takes != nil && p.takes(ctx, name, auth)
		if ctx.Err() != nil {
			return nil
		}
		if takes {
			return p
		}
	}
	return nil
}

// Children returns the children there are at this moment, in no particular order.
func (p *ParentNamespace) Children() []*Namespace { return p.brood() }

// brood returns the children of a parent, none of any other namespace.
func (n *Namespace) brood() []*Namespace {
	n.editing.Lock()
	defer n.editing.Unlock()
	all := make([]*Namespace, 0, len(n.children))
	for c := range n.children {
		all = append(all, c)
	}
	return all
}

// rear gives a new child the parent's table and keeps it up to date from then on.
// Children share the table until something is registered with one of them.
func (n *Namespace) rear(child *Namespace) {
	n.editing.Lock()
	defer n.editing.Unlock()
	child.table.Store(n.table.Load())
	n.children[child] = struct{}{}
}

// disown undoes rear, but for the table.
func (n *Namespace) disown(child *Namespace) {
	n.editing.Lock()
	defer n.editing.Unlock()
	delete(n.children, child)
}

// inherit makes the change in a child's table that made next of old in its parent's.
func (n *Namespace) inherit(old, next *table, change func(t *table)) {
	n.editing.Lock()
	defer n.editing.Unlock()
	if n.table.Load() == old {
		n.table.Store(next)
		return
	}
	t := *n.table.Load()
	change(&t)
	n.table.Store(&t)
}
