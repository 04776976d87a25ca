// Command peers runs the same scenarios against this server and its peers, in
// alternating rounds, and prints one table of what each pays: CPU per delivery, round
// trip and handshake, memory per connection, and the ratios within a round. The
// server has one core, the load client another. README.md says how to read it.
//
// It is a module of its own, so that no user of the library downloads its peers.
package main
