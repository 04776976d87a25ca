// Package forward does away with sticky sessions: servers that share an address serve each
// request together, whichever of them it has reached. Polls, posts, upgrades and WebSockets
// that reach another server than the one with their session are answered by that one, over a
// tunnel through the broker that the servers have anyway:
//
//	f, err := forward.New(carrier, forward.Options{})
//	…
//	f.Equip(&options) // before socketio.New
//	server := socketio.New(options)
//	f.Attach(server)
//	defer f.Close() // after the server's Shutdown
//
// The carrier is a broker's: see packages redisadapter and natsadapter. Which server a
// session belongs to stands in front of its id, so that nobody has to look it up.
//
// The server with the session answers as it does at its own port. It sees the address of the
// peer that the forwarding server sees, and all header fields as they came; both need the
// same TrustedProxies, then, and the same CORS and Limits. The forwarding server adds nothing and
// keeps nothing back. Where the other server is gone, the client is told that its session is
// unknown, and opens another one.
//
// An unlucky route has its price: a poll that is forwarded costs a message in each direction
// and a few goroutines at both ends while it is held, and a WebSocket that is forwarded costs
// these for as long as it is open, where one of our own costs none. A balancer that is sticky,
// by whatever cookie or address, makes that rare; nothing depends on it any more.
package forward
