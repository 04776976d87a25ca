// Package engine is an Engine.IO v4 (and v3) server on the gnet event loop: connections,
// the HTTP routes of the protocol, sessions over long-polling and WebSocket, the
// upgrade between them, heartbeats, outbound queues and fan-out. It is the only
// package that imports gnet, and it knows nothing of Socket.IO: whoever stands
// above gives it a Receiver per session and sends Frames.
//
// # Who owns what
//
// Each loop is one goroutine with one epoll. A connection, a session, the room
// index, the timing wheels and the blocked set belong to exactly one loop and
// are touched on it only: such functions and fields are marked "loop-only".
// Everybody else reaches a loop through its inbox: first in, first out, one wake
// per burst. Sessions never change loops. Where a request for a session arrives
// on another loop, the connection moves to the session (see move.go); where it
// is not for Engine.IO at all, it moves to a standard http.Server.
//
// # Order
//
// What one goroutine sends, publishes, joins and leaves takes effect on every
// session in that order. A loop works its queue strictly first in, first out,
// and a long broadcast in parts, so that input and timers are served in between.
//
// # Slices
//
// A slice handed to a Receiver is valid until the call returns: it is the loop's
// read buffer. A Frame is immutable once sent and lives until its last reference
// is released.
//
// # Locks
//
// Leaves, none held while another is taken: the inbox's, the self-pipe's, the table of
// peers', that of congestion, a TLS handshake's, a Certificate's, one per
// shard of the session table, the one around the names that the application gave
// sessions, the one around who waits for a hook and the one around a request's way
// through the middlewares, the one around making a form of a frame and the one
// around an opening request's bytes. loopsMu is held while the list of loops is
// replaced, and a new loop's self-pipe made; hooksMu while hooks are registered, and
// a middleware made. listenMu is held by Listen from beginning
// to end, so that a Shutdown waits for it.
package engine
