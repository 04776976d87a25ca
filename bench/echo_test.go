package bench

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
	"github.com/fanfare-go/fanfare/bench/swarm"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/panjf2000/gnet/v2"
)

// BenchmarkAckRoundTrip has clients emit with an acknowledgement, each one at a
// time, and sets the server's CPU and the clients' wait against those of a bare gnet
// server that sends the same bytes back, in the same round. An op is one round trip.
func BenchmarkAckRoundTrip(b *testing.B) {
	for _, clients := range []int{1, 200} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			server, addr := serve(b)
			answerEchoes(server)
			ours := connect(b, swarm.WebSocket, addr, clients)
			bare := connect(b, swarm.Raw, gnetEcho(b), clients)
			for _, way := range []string{"inline", "pooled"} {
				b.Run(way, func(b *testing.B) { alternate(b, ours, bare, way, scaled(min(2000*clients, 20_000))) })
			}
		})
	}
}

// answerEchoes registers the two ways to run a handler.
func answerEchoes(server *socketio.Server) {
	echo := func(_ context.Context, _ *socketio.Socket, text string) (string, error) { return text, nil }
	socketio.OnAck(server, "inline", echo, socketio.Inline)
	socketio.OnAck(server, "pooled", echo)
}

// echoOf is a round trip of 32 bytes of text with the handler of that name.
func echoOf(way string, n int) swarm.Trips {
	text := strings.Repeat("x", 32)
	return swarm.Trips{N: n, Request: fmt.Sprintf(`427["%s","%s"]`, way, text), Answer: fmt.Sprintf(`437["%s"]`, text)}
}

func alternate(b *testing.B, ours, bare *swarm.Swarm, way string, n int) {
	there := echoOf(way, n)
	back := there
	back.Answer = there.Request
	roundTrips(b, ours, there)
	runtime.GC()
	s := make(series)
	rounds(b, func() {
		limit, limitLatency := roundTrips(b, bare, back)
		cost, latency := roundTrips(b, ours, there)
		s.perOp(cost, n)
		s.add("cpu-us/trip", us(cost.cpu, n))
		s.add("bare-cpu-us/trip", us(limit.cpu, n))
		s.add("cpu-ratio", float64(cost.cpu)/float64(limit.cpu))
		s.add("p50-us", latency.P50)
		s.add("bare-p50-us", limitLatency.P50)
		s.add("wall-ratio", float64(cost.wall)/float64(limit.wall))
	})
	s.report(b)
}

// roundTrips has the swarm make round trips, and returns what this process spent on
// them and how long the clients waited.
func roundTrips(b testing.TB, clients *swarm.Swarm, t swarm.Trips) (cost, *report.Latency) {
	b.Helper()
	c := spent(b, func() {
		must(b, clients.Begin(t))
		must(b, clients.Wait())
	})
	latency, err := clients.Halt()
	must(b, err)
	return c, latency
}

// echoServer is the least that gnet can do: it sends back what it gets.
type echoServer struct {
	gnet.BuiltinEventEngine
	booted chan gnet.Engine
}

func (e *echoServer) OnBoot(g gnet.Engine) gnet.Action {
	e.booted <- g
	return gnet.None
}

func (e *echoServer) OnTraffic(c gnet.Conn) gnet.Action {
	got, err := c.Next(-1)
	if err == nil {
		_, err = c.Write(got)
	}
	if err != nil {
		return gnet.Close
	}
	return gnet.None
}

// gnetEcho runs an echoServer, with the options that the server gives gnet, for the
// length of the benchmark.
func gnetEcho(b testing.TB) (addr string) {
	b.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	addr = free.Addr().String()
	must(b, free.Close())
	e := &echoServer{booted: make(chan gnet.Engine, 1)}
	ended := make(chan error, 1)
	go func() {
		ended <- gnet.Run(e, "tcp://"+addr, gnet.WithNumEventLoop(runtime.GOMAXPROCS(0)), gnet.WithReusePort(true),
			gnet.WithSocketSendBuffer(128<<10), gnet.WithLogger(silence{}))
	}()
	var g gnet.Engine
	select {
	case g = <-e.booted:
	case err := <-ended:
		b.Fatal(err)
	}
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		must(b, g.Stop(ctx))
		must(b, <-ended)
	})
	return addr
}

// silence is a logger for gnet.
type silence struct{}

func (silence) Debugf(string, ...any) {}
func (silence) Infof(string, ...any)  {}
func (silence) Warnf(string, ...any)  {}
func (silence) Errorf(string, ...any) {}
func (silence) Fatalf(string, ...any) {}
