// Package swarm is a process full of clients for benchmarks: raw sockets on one
// epoll, no goroutine per connection, so that measuring a server does not mean
// measuring its clients.
//
// A benchmark starts itself again as the swarm (Start), tells it what to open and
// asks how much has arrived. The swarm reads and discards everything; it answers
// no heartbeat, so sessions live for PingInterval plus PingTimeout.
package swarm
