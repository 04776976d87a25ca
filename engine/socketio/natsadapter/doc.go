// Package natsadapter connects servers through NATS, a server of its own or the one that
// package embedded runs within the process.
//
// A [Node] is one process in a cluster: it has one name, one connection and one queue for all
// namespaces, so that thousands of those cost no more than their names. Servers know each
// other by heartbeats; all are of this package, as Node's servers do not speak NATS.
//
// Core NATS delivers at most once, and drops without a word what a connection cannot take.
// Here nothing is lost while connections hold, since what is under way is bounded by what the
// slowest server has reported; and what is lost with a connection is counted exactly by who
// has missed it ([Stats], [Node.Ready]). With [Options.JetStream], events of servers that
// offer recovery are kept, and clients have their socket again on any server.
//
// What comes from NATS is looked at as if it came from a client, and does no harm to this
// process. But whoever may publish to these subjects may say anything to all clients, and
// disconnect them: keep others out, with a password, TLS, or permissions on "sio.>".
//
// # Files
//
// node.go the Node; options.go; subject.go names of subjects; frame.go, message.go, reader.go
// bytes; link.go the part of one namespace; send.go, window.go, parts.go the way out;
// receive.go the way in; peers.go other servers; lanes.go what is missing; interest.go rooms
// that are heard; journal*.go JetStream.
package natsadapter
