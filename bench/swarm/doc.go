// Package swarm is a process full of clients for benchmarks: raw sockets on one
// epoll, no goroutine per connection, so that measuring a server does not mean
// measuring its clients.
//
// A benchmark starts itself again as the swarm (Start), tells it what to open and
// what to expect, and waits for its bell: a byte on a pipe, so that waiting costs
// the benchmark's process one wake and no allocation. The swarm answers no
// heartbeat, so sessions live for PingInterval plus PingTimeout.
package swarm
