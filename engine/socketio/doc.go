// Package socketio is a Socket.IO server: namespaces, sockets, typed events,
// acknowledgements, rooms and broadcasts, spoken with every stock client of
// Socket.IO v3 and v4 (protocol revision 5), and with Options.AllowEIO3 of v2, over the
// sessions of package engine.
//
// # Dictionary for users of Node's server
//
//	new Server(opts), io.of("/x")          New(Options{…}), io.Of("/x")
//	io.of(/regexp/), io.of(function)       io.OfPattern(re), io.OfFunc(func(ctx, name, auth) bool)
//	"new_namespace"                        io.OnNewNamespace
//	io.on("connection", fn)                io.OnConnect(fn)
//	socket.on("ev", fn), once, off         On(s, "ev", fn), Once, the function they return
//	socket.on("ev", (x, cb) => cb(y))      OnAck(s, "ev", func(ctx, s, x) (y, error)), or
//	                                       OnCallback(s, "ev", func(ctx, s, x, cb) error): cb.Reply(y)
//	socket.emit, emitWithAck, timeout(ms)  s.Emit, s.EmitWithAck(ctx, …), a deadline on ctx;
//	                                       without one Options.AckTimeout, not for ever
//	socket.broadcast, io.to(r).except(x)   s.Broadcast(), io.To(r).Except(x)
//	broadcast.emitWithAck                  io.To(r).AskAll(ctx, …), EmitWithAck(ctx, …)
//	fetchSockets, socketsJoin, …           FetchSockets(ctx), SocketsJoin, SocketsLeave,
//	                                       DisconnectSockets; Count(ctx), RoomSize, Rooms
//	nsp.sockets                            nsp.Sockets(), nsp.Socket(id)
//	serverSideEmit, io.on(event, fn)       ServerSideEmit, OnServerSide, OnServerSideAck
//	"create-room", "join-room", …          io.OnRoom; for users instead of sockets: Presence
//	volatile, compress(false), local       .Volatile(), .Compress(false), .Local()
//	socket.join, leave, rooms, data        s.Join, s.Leave, s.Rooms, Key[T]
//	io.use, socket.use                     io.Use, s.Use and io.UsePacket
//	onAny, onAnyOutgoing, prepend…, off…   s.OnAny, s.OnAnyOutgoing, Prepend…, Off…; io.OnAny, …
//	socket.on("error", fn)                 s.OnError, Options.OnError
//	connectionStateRecovery                Options.ConnectionStateRecovery, s.Recovered
//	"disconnecting", "disconnect"          s.OnDisconnecting, s.OnDisconnect
//	io.listen, https.createServer          io.ListenAndServe, io.ListenAndServeTLS
//	io.attach(httpServer)                  http.Handle("/socket.io/", io), or Options.Handler
//	io.engine.use, allowRequest            io.Engine().Use, Options.AllowRequest
//	io.engine.on("headers"), …             io.Engine().OnHeaders, OnConnectionError, …
//	serveClient, cookie, generateId        Options.ClientFiles, Cookie, GenerateID
//	perMessageDeflate, httpCompression     Options.PerMessageDeflate, HTTPCompression
//	parser, allowEIO3, adapter             Options.Parser, AllowEIO3, Adapter
//	io.close()                             io.Shutdown(ctx)
//
// What Node has no word for: Server.Drain closes clients slowly, for a deployment;
// Socket.ExpireAt and OnExpiring are for tokens that expire; Namespace.KeepHistory has
// late clients catch up; Presence counts users; Options.Limits and SlowPolicy bound what one
// client may do and cost; Socket.Queue, Writable and Drained tell how fast it
// takes what it is sent. Package socketiotest tests handlers without a network.
//
// # Who runs what
//
// The handlers, middlewares and disconnect functions of one socket run one at a
// time, in the order of the packets that caused them, on a pool of workers where
// they may block; those of different sockets run in parallel. A handler
// registered with [Inline] runs on the event loop instead, and must not block.
// Everything a socket or server is told (Emit, Join, Disconnect, …) is safe for
// concurrent use and never blocks; what waits takes a context.
//
// # How long values are valid
//
// Raw and Args given to a handler are valid until it returns, and are then
// reused: Clone what lives longer. Binary attachments are the handlers' to keep, but
// not to change: where several handlers take one event, they are given the same bytes.
// Values decoded into a Go type, and the Args that EmitWithAck returns, are the
// caller's.
//
// # Order
//
// What one goroutine emits, broadcasts, joins and leaves takes effect in that
// order. A client that leaves a namespace and joins it again is another socket, and
// what the old one's handlers have still to do may come after the new one's OnConnect.
//
// Locks, where two meet: client.mu or the pool's, then Socket.mu (a socket that takes
// another's place holds its own, then the other's), then eventLog.mu, then the socket
// table's, or the inbox of an event loop, or Server.creating and, below it,
// Namespace.editing of a parent and then of its children. A lock under which an adapter
// delivers (BroadcastAt, and the adopt of RestoreSession) comes before Socket.mu; one that
// its Join, Leave, LeaveAll and DropSession take, below it. Below Socket.mu, too: the
// surveys' and then one survey's, a watcher's (room events, presence) and then its
// relay's, the overhearers', that of the times of ExpireAt, and an adapter's. Nothing that the application wrote is
// called with one of them held, but for an adapter's Join, Leave and LeaveAll, its
// BroadcastWithAck's sink, the Parser of a CONNECT answer, and the decoding of a value
// that an adapter has restored. A packet that the client's next socket must not be given
// (DISCONNECT, an event, an acknowledgement) is sent under Socket.mu, in one step with
// the look at the state or the change of it.
package socketio
