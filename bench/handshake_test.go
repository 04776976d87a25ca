package bench

import (
	"testing"

	"github.com/fanfare-go/fanfare/bench/swarm"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// handshakesPerRound are opened one round after the other, and closed again.
const handshakesPerRound = 1000

// BenchmarkHandshake connects clients over WebSocket and has them join the default
// namespace: accept, upgrade, open packet, CONNECT and its answer. An op is one such
// handshake; retained-B is what of B/op the open connection keeps.
func BenchmarkHandshake(b *testing.B) {
	server, addr := serve(b)
	clients := connect(b, swarm.WebSocket, addr, handshakesPerRound)
	dropAll(b, clients, server)
	s := make(series)
	rounds(b, func() {
		before := settledHeap()
		c := spent(b, func() { must(b, clients.Open(swarm.WebSocket, addr, handshakesPerRound)) })
		s.perOp(c, handshakesPerRound)
		s.add("cpu-us/handshake", us(c.cpu, handshakesPerRound))
		s.add("retained-B", (float64(settledHeap())-float64(before))/handshakesPerRound)
		dropAll(b, clients, server)
	})
	s.report(b)
}

// dropAll closes the clients and waits until the server has noticed.
func dropAll(b testing.TB, clients *swarm.Swarm, server *socketio.Server) {
	b.Helper()
	must(b, clients.Drop())
	eventually(b, "end of all connections", func() bool { return server.Stats().Engine.Connections == 0 })
}
