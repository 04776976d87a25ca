package socketio

import (
	"context"
	"errors"
)

// child is the place of a namespace that was made for a parent. It is in
// Server.children from before the namespace is there until its adapter is closed, so
// that of each name there is one at a time.
type child struct {
	parent  *Namespace    // immutable
	changed chan struct{} // closed when the making, or the closing, is over; guarded by Server.creating
	nsp     *Namespace    // nil while it is made; guarded by Server.creating
	guests  int           // sockets in it, on their way in, or with goodbyes to be said; guarded by Server.creating
	closing bool          // guarded by Server.creating
}

// there reports whether the namespace can be used. Called with creating held.
func (c *child) there() bool { return c.nsp != nil && !c.closing }

// errTooManyChildren refuses the client; the text is what it is told.
var errTooManyChildren = errors.New("Too many namespaces") //nolint:staticcheck // it is a message to the client, beside "Invalid namespace"

// OnNewNamespace registers fn for every namespace that is made from now on, by
// [Server.Of] or for a client. It is called where that happens, once, before anybody
// can find the namespace, so that what it registers there holds for the first client.
// It must not ask for that namespace itself, by its name; parents are not told of.
// Node: the "new_namespace" event.
func (v *Server) OnNewNamespace(fn func(n *Namespace)) {
	v.creating.Lock()
	defer v.creating.Unlock()
	v.newcomers = with(v.newcomers, fn)
}

// announce calls the functions of OnNewNamespace.
func (v *Server) announce(n *Namespace) {
	v.creating.Lock()
	listeners := v.newcomers
	v.creating.Unlock()
	for _, fn := range listeners {
		fn(n)
	}
}

// childOf returns the parent's child of this name, made if it is not there. Where
// somebody else is making or closing one, it waits for that, until ctx is done. A
// guest is a client that is on its way in: it is counted, until [Server.part], and
// bounded. Where the name has become a namespace like any other meanwhile, that is
// returned.
func (v *Server) childOf(ctx context.Context, parent *Namespace, name string, guest bool) (*Namespace, error) {
	for {
		v.creating.Lock()
		if make := v.makers[name]; make != nil {
			v.creating.Unlock()
			return make(), nil
		}
		c := v.children[name]
		switch {
		case c == nil && guest && len(v.children) >= v.options.MaxChildNamespaces:
			v.creating.Unlock()
			v.stats.exceeded(limitChildNamespaces)
			return nil, errTooManyChildren
		case c == nil:
			c = &child{parent: parent, changed: make(chan struct{})}
			v.children[name] = c
			i := v.number()
			v.creating.Unlock()
			return v.bear(c, name, i, guest), nil
		case c.there():
			c.arrive(guest)
			v.creating.Unlock()
			return c.nsp, nil
		}
		changed := c.changed
		v.creating.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// arrive counts a guest. Called with creating held.
func (c *child) arrive(guest bool) {
	if guest {
		c.guests++
	}
}

// bear makes the namespace of a place, without the lock: adapters and listeners may
// ask for others. Where one of them panics, the place is given up.
func (v *Server) bear(c *child, name string, i uint64, guest bool) *Namespace {
	n := newNamespace(v, name, i)
	n.child, n.times = c, c.parent.times
	whole := false
	defer func() {
		if !whole {
			c.parent.disown(n)
			v.clear(c, name)
		}
	}()
	c.parent.rear(n)
	v.equip(n)
	v.announce(n)
	whole = true

	v.creating.Lock()
	c.nsp = n
	c.arrive(guest)
	close(c.changed)
	late := v.sealed
	v.creating.Unlock()
	if late {
		_ = n.adapter.Close()
	}
	return n
}

// clear gives up the place, for the next who wants the name.
func (v *Server) clear(c *child, name string) {
	v.creating.Lock()
	defer v.creating.Unlock()
	delete(v.children, name)
	close(c.changed)
}

// guest returns the child namespace of this name, with a guest more, or nil where
// none is ready.
func (v *Server) guest(name []byte) *Namespace {
	v.creating.Lock()
	defer v.creating.Unlock()
	c := v.children[string(name)]
	if c == nil || !c.there() {
		return nil
	}
	c.guests++
	return c.nsp
}

// part is told of each guest once, when nothing of it is left in the namespace. With
// the last one a child goes, if the options say so; a client that comes meanwhile was
// counted before, or finds the place empty and has a new child made. Nothing here
// waits: an adapter, which may, is closed in a goroutine, of which there are no more
// than children.
func (v *Server) part(n *Namespace) {
	c := n.child
	if c == nil {
		return
	}
	v.creating.Lock()
	defer v.creating.Unlock()
	c.guests--
	if c.guests > 0 || !v.options.CleanupEmptyChildNamespaces || v.sealed {
		return
	}
	c.parent.disown(n)
	n.removed.Store(true)
	if v.log.histories() {
		go v.log.forget(n) // the log may be locked here
	}
	if v.options.Adapter == nil {
		delete(v.children, n.name) // there is nothing to close
		return
	}
	c.closing, c.changed = true, make(chan struct{})
	go v.bury(c)
}

// bury closes the adapter of an empty child.
func (v *Server) bury(c *child) {
	defer v.clear(c, c.nsp.name)
	defer func() {
		if r := recover(); r != nil {
			v.options.Logger.Error("socketio: panic in an adapter's Close", "namespace", c.nsp.name, "panic", r)
		}
	}()
	if err := c.nsp.adapter.Close(); err != nil {
		v.options.Logger.Warn("socketio: closing an adapter", "namespace", c.nsp.name, "error", err)
	}
}
