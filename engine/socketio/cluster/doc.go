// Package cluster is what servers of one namespace say to each other, whatever broker
// carries it: broadcasts, requests with answers from all the others, and the counts
// that tell when something was lost on the way. An [Adapter] is the half that every
// broker shares; a [Link] is the half that is one broker's. Packages redisadapter and
// natsadapter put the two together; applications import those.
//
// The kinds of messages, and what is answered to each, are those of Node's
// ClusterAdapter (socket.io-adapter 2.5), so that a Link may speak to Node's servers.
// How a message is written in bytes is the Link's.
//
// What another server does never makes anybody wait here: a broadcast is delivered to
// the sockets of this server first, what cannot be sent is dropped and counted, and a
// request is answered with what came in time.
//
// # Logs
//
// Where a broker keeps what was published, and Options.ConnectionStateRecovery is set, a
// client goes on with any server: see [Log], for those who bring a broker, and [Logged].
// Then an event is appended first, and delivered when it comes back, so that all clients
// have one order and its place there is the offset that they show. The [Tail] hands out
// what comes, keeps the latest of it, and waits no longer for what does not come than
// TailOptions.Patience: then it is delivered here, with an offset that says so, and
// skipped when it comes. What goes without the log may overtake what goes through it on
// its own server: acknowledgements asked for, a Socket's Leave and Disconnect, and what
// SocketsLeave and DisconnectSockets do.
package cluster
