package socketio

import "context"

// PacketMiddleware sees each event of a socket, whatever its name, before the
// event's handlers and after the catch-alls. With an error the handlers do not run,
// nothing is sent to the client, not even the acknowledgement it may want, and the
// error goes where those of handlers go: see [Socket.OnError]. The same holds, without
// an error, where it disconnects the socket. It may block, unless it is [Inline]. Args
// are valid until it returns.
type PacketMiddleware = AnyHandler

// Use adds a middleware for the events of this socket; those of its namespace run
// before. It may be removed. Where the same function serves every socket,
// [Namespace.UsePacket] costs nothing per socket. Node: socket.use.
func (s *Socket) Use(fn PacketMiddleware, opts ...HandlerOption) (remove func()) {
	c := newCatchAll(fn, opts)
	s.edit(func(t *ownTable) { t.packets = with(t.packets, c) })
	return func() { s.edit(func(t *ownTable) { t.packets = without(t.packets, c) }) }
}

// UsePacket adds a middleware for the events of all sockets of the namespace, where
// [Namespace.Use] is about connecting. Node: socket.use in each "connection".
func (n *Namespace) UsePacket(fn PacketMiddleware, opts ...HandlerOption) (remove func()) {
	c := newCatchAll(fn, opts)
	n.edit(func(t *table) { t.packets = with(t.packets, c) })
	return func() { n.edit(func(t *table) { t.packets = without(t.packets, c) }) }
}

// UsePacket adds a middleware for the events of the default namespace; see
// [Namespace.UsePacket].
func (v *Server) UsePacket(fn PacketMiddleware, opts ...HandlerOption) (remove func()) {
	return v.main.UsePacket(fn, opts...)
}

// pass shows an event to the catch-alls and the packet middlewares and reports
// whether its handlers are to run. Most sockets have neither.
func (s *Socket) pass(ctx context.Context, t *table, own *ownTable, name []byte, c *call) bool {
	var none ownTable
	if own == nil {
		own = &none
	}
	if len(t.any)+len(t.packets)+len(own.any)+len(own.packets) == 0 {
		return true
	}
	s.dispatchAny(ctx, t.any, name, c)
	s.dispatchAny(ctx, own.any, name, c)
	if s.disconnectedByServer() || !s.permit(ctx, t.packets, name, c) || !s.permit(ctx, own.packets, name, c) {
		return false
	}
	return !s.disconnectedByServer()
}

// permit runs packet middlewares up to the first that objects.
func (s *Socket) permit(ctx context.Context, list []*catchAll, name []byte, c *call) bool {
	for _, m := range list {
		if err := m.run(ctx, s, string(name), c.args); err != nil {
			s.failed(ctx, name, err)
			return false
		}
	}
	return true
}

// disconnectedByServer reports whether what is in the mailbox is to be dropped.
func (s *Socket) disconnectedByServer() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.is(muted)
}
