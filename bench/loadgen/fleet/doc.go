// Package fleet is one process full of clients: non-blocking sockets on one epoll,
// driven by one thread, with no goroutine, no timer and, once a run is under way, no
// allocation for any of them.
//
// A Fleet opens its connections, sends what it is told to, and with every Turn reads
// what has come: it answers heartbeats, checks each connection's sequence numbers and
// records how late every message is. It decides nothing; package run does.
//
// System calls on sockets are made without telling Go's scheduler (unix.RawSyscall):
// they do not block, and the telling would cost as much again. Nothing here is safe
// for concurrent use.
package fleet
