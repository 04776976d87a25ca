package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
)

// scene is a run: its processes and what it has found out.
type scene struct {
	o        *options
	plan     *plan
	progress io.Writer
	servers  []*child
	clients  []*child
	result   result
}

// run carries out o. A result comes with an error where it is not what was asked for,
// and without one where there is nothing to tell. All children have ended when it
// returns.
func run(ctx context.Context, o *options, progress io.Writer) (*result, error) {
	m, err := thisMachine()
	if err != nil {
		return nil, err
	}
	p, err := newPlan(o, m)
	if err != nil {
		return nil, err
	}
	if err := m.check(o, p); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &scene{o: o, plan: p, progress: progress}
	err = s.play(ctx)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		cancel() // all children at once, however they are
	}
	s.say("ending %d processes", len(s.servers)+len(s.clients))
	err = errors.Join(err, s.stop())
	if s.result.Scenario == "" {
		return nil, err
	}
	return &s.result, err
}

func (s *scene) say(format string, args ...any) { fmt.Fprintf(s.progress, format+"\n", args...) }

// play is the run from the first process to the last figure.
func (s *scene) play(ctx context.Context) error {
	addrs, err := s.start(ctx)
	if err != nil {
		return err
	}
	bare, err := s.look(0)
	if err != nil {
		return err
	}
	if err := s.connect(ctx, addrs); err != nil {
		return err
	}
	if err := s.hold(ctx); err != nil {
		return err
	}
	if err := s.remember(bare); err != nil {
		return err
	}
	return s.broadcast(ctx, bare)
}

// start starts all processes and returns the servers' addresses. The first server is where
// the others look for their cluster.
func (s *scene) start(ctx context.Context) (addrs []string, err error) {
	s.say("starting %d servers on CPUs %v and %d clients on CPUs %v", s.plan.processes, s.plan.serverCPUs, s.plan.processes, s.plan.clientCPUs)
	var seed string
	for i := range s.plan.processes {
		server, err := startChild(ctx, "server", fmt.Sprintf("server %d", i), s.plan.serverCPUs, s.clusterVariables(seed)...)
		if err != nil {
			return nil, err
		}
		s.servers = append(s.servers, server)
		addr, found, err := whereIs(server)
		if err != nil {
			return nil, err
		}
		addrs = append(addrs, addr)
		if i == 0 {
			seed = found
		}
		client, err := startChild(ctx, "client", fmt.Sprintf("client %d", i), s.plan.clientCPUs)
		if err != nil {
			return nil, err
		}
		s.clients = append(s.clients, client)
	}
	return addrs, s.gather()
}

// whereIs reads where a server listens: for clients, and for other servers if it does.
func whereIs(server *child) (addr, seed string, err error) {
	line, err := server.line()
	if err != nil {
		return "", "", err
	}
	words := strings.Fields(line)
	if len(words) < 2 || words[0] != "listening" {
		return "", "", fmt.Errorf("%s said %q and not where it listens", server.name, line)
	}
	return words[1], strings.Join(words[2:], ""), nil
}

// stop ends all children: the clients first, who leave nothing behind.
func (s *scene) stop() error {
	var errs []error
	for _, side := range [][]*child{s.clients, s.servers} {
		for _, c := range side {
			_ = c.in.Close()
		}
		for _, c := range side {
			errs = append(errs, c.stop())
		}
	}
	return errors.Join(errs...)
}

// each asks children all at once, and returns their answers in order.
func each(children []*child, orderFor func(i int) order) ([]answer, error) {
	answers, errs := make([]answer, len(children)), make([]error, len(children))
	var wg sync.WaitGroup
	for i, c := range children {
		wg.Go(func() { answers[i], errs[i] = c.ask(orderFor(i)) })
	}
	wg.Wait()
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	switch len(errs) {
	case 0:
		return answers, nil
	case 1:
		return answers, errs[0]
	}
	return answers, fmt.Errorf("%w (and %d others failed)", errs[0], len(errs)-1)
}

// memory is what everybody has at one moment.
type memory struct {
	servers, clients usage
	heap             int64
	kernel           kernelMemory
}

// look takes the memory, and wants the servers to hold so many connections.
func (s *scene) look(connections int) (m memory, err error) {
	// Resident memory and the kernel's before the collection that the servers' answers
	// cost: they are what anybody would see.
	if m.servers, err = usageOf(s.servers); err != nil {
		return m, err
	}
	if m.clients, err = usageOf(s.clients); err != nil {
		return m, err
	}
	m.kernel = readKernelMemory()
	answers, err := each(s.servers, func(int) order { return order{Op: "memory"} })
	open := 0
	for _, a := range answers {
		m.heap += a.Heap
		open += a.Open
	}
	if err == nil && open != connections {
		err = fmt.Errorf("the servers hold %d connections of %d", open, connections)
	}
	return m, err
}

// connect opens all connections.
func (s *scene) connect(ctx context.Context, addrs []string) error {
	s.say("opening %d connections", s.o.Connections)
	before, err := usageOf(s.servers)
	if err != nil {
		return err
	}
	watched, done := context.WithCancel(ctx)
	defer done()
	go s.watch(watched)
	_, err = each(s.clients, func(i int) order {
		return order{Op: "open", Addr: addrs[i], N: s.plan.shares[i], Dialing: s.o.Dialing, Patience: s.o.Patience}
	})
	if err != nil {
		return err
	}
	after, err := usageOf(s.servers)
	if err != nil {
		return err
	}
	u := after.since(before, len(s.plan.serverCPUs), uint64(s.o.Connections))
	s.result.ConnectCPU, s.result.ConnectsPerSecond = u.PerUnit, float64(s.o.Connections)/after.at.Sub(before.at).Seconds()
	s.say("all open: %.0f a second, %.0f µs of the servers' CPU each", s.result.ConnectsPerSecond, s.result.ConnectCPU)
	return nil
}

// watch tells how far opening is.
func (s *scene) watch(ctx context.Context) {
	for tick := time.NewTicker(5 * time.Second); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
			s.say("  %d sockets in the kernel, of %d", readKernelMemory().sockets, 2*s.o.Connections)
		}
	}
}

// hold leaves the connections alone, and counts them after that.
func (s *scene) hold(ctx context.Context) error {
	s.say("holding them for %v", s.o.Hold)
	earlier, err := s.heartbeats()
	if err != nil {
		return err
	}
	before, err := usageOf(s.servers)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(s.o.Hold):
	}
	after, err := usageOf(s.servers)
	if err != nil {
		return err
	}
	answers, err := each(s.clients, func(int) order { return order{Op: "count"} })
	for _, a := range answers {
		s.result.Held += a.Open
		s.result.Heartbeats += a.Pings
	}
	if beats := s.result.Heartbeats - earlier; beats > 0 {
		s.result.HeartbeatCPU = after.since(before, len(s.plan.serverCPUs), beats).PerUnit
		s.say("%d heartbeats, %.1f µs of the servers' CPU each", beats, s.result.HeartbeatCPU)
	}
	return err
}

// heartbeats is how many pings the clients have answered so far.
func (s *scene) heartbeats() (n uint64, err error) {
	answers, err := each(s.clients, func(int) order { return order{Op: "count"} })
	for _, a := range answers {
		n += a.Pings
	}
	return n, err
}

// remember takes what the connections cost in memory.
func (s *scene) remember(bare memory) error {
	m, err := s.look(s.o.Connections)
	if err != nil {
		return err
	}
	each := func(after, before int64) float64 { return float64(after-before) / float64(s.o.Connections) }
	s.result.Memory = &report.Memory{
		Heap:   each(m.heap, bare.heap),
		RSS:    each(m.servers.rss, bare.servers.rss),
		Kernel: each(m.kernel.sum(), bare.kernel.sum()),
	}
	s.result.ClientRSS = each(m.clients.rss, bare.clients.rss)
	s.result.KernelSlab = each(m.kernel.slab, bare.kernel.slab)
	s.result.KernelCaches = m.kernel.growth(bare.kernel, s.o.Connections)
	s.say("per connection: Go heap %.0f B, server %.0f B resident, client %.0f B resident, kernel (both ends) %.0f B",
		s.result.Memory.Heap, s.result.Memory.RSS, s.result.ClientRSS, s.result.Memory.Kernel)
	return nil
}

// broadcast has every server broadcast in every round, and sums the run up.
func (s *scene) broadcast(ctx context.Context, bare memory) error {
	servers, err := usageOf(s.servers)
	if err != nil {
		return err
	}
	clients, err := usageOf(s.clients)
	if err != nil {
		return err
	}
	bytes, err := s.brokerBytes()
	if err != nil {
		return err
	}
	err = s.rounds(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	serversAfter, err1 := usageOf(s.servers)
	clientsAfter, err2 := usageOf(s.clients)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	bytesAfter, err3 := s.brokerBytes()
	err = errors.Join(err, err3, s.count())
	s.result.Cluster, s.result.BrokerBytes = s.o.Cluster, float64(bytesAfter-bytes)/float64(s.o.Rounds)
	n := s.result.Deliveries.Delivered
	r := &s.result.Result
	r.Scenario, r.Server, r.Connections, r.Payload, r.Backlog = "scale", "fanfare", s.o.Connections, s.o.Payload, 1
	r.Seconds, r.Machine = serversAfter.at.Sub(servers.at).Seconds(), report.ThisMachine()
	r.ServerUsage = serversAfter.since(servers, len(s.plan.serverCPUs), n)
	r.ClientUsage = clientsAfter.since(clients, len(s.plan.clientCPUs), n)
	r.ServerUsage.RSSBefore, r.ClientUsage.RSSBefore = bare.servers.rss, bare.clients.rss
	s.result.NetPerUnit = r.ServerUsage.PerUnit - s.result.HeartbeatCPU*float64(s.result.Meanwhile)/float64(max(n, 1))
	r.Saturated = saturated(r.ServerUsage, r.ClientUsage)
	s.result.Processes, s.result.Rounds, s.result.Together = s.plan.processes, s.o.Rounds, s.o.Together
	s.tell()
	if !r.Deliveries.Complete() {
		err = errors.Join(err, fmt.Errorf("%d of %d deliveries came", n, r.Deliveries.Expected))
	}
	return err
}

// rounds broadcasts. What goes wrong in one is not made good by another, so it ends
// there.
func (s *scene) rounds(ctx context.Context) error {
	o := order{Op: "broadcast", Payload: s.o.Payload, Patience: s.o.Patience}
	for round := 0; round < s.o.Rounds && ctx.Err() == nil; round++ {
		begin := time.Now()
		if err := s.round(round, o); err != nil {
			return err
		}
		s.say("round %d: everybody has it after %v", round, time.Since(begin).Round(time.Millisecond))
	}
	return nil
}

// round has everybody receive one message.
func (s *scene) round(n int, o order) error {
	if s.o.Cluster != "" {
		return s.roundOfAll(n, o)
	}
	if s.o.Together {
		_, err := each(s.clients, func(int) order { return o })
		return err
	}
	for _, c := range s.clients {
		if _, err := c.ask(o); err != nil {
			return err
		}
	}
	return nil
}

// count gathers what the connections have checked.
func (s *scene) count() error {
	answers, err := each(s.clients, func(int) order { return order{Op: "count"} })
	var seen report.Histogram
	d, earlier := &s.result.Deliveries, s.result.Heartbeats
	s.result.Heartbeats = 0
	for _, a := range answers {
		d.Delivered += a.Counts.Delivered
		d.Doubled += a.Counts.Doubled
		d.Disordered += a.Counts.Disordered
		s.result.Heartbeats += a.Pings
		addTo(&seen, a.Latency)
	}
	s.result.Meanwhile = s.result.Heartbeats - min(earlier, s.result.Heartbeats)
	d.Expected = uint64(s.o.Rounds) * uint64(s.o.Connections)
	d.Lost = d.Expected - min(d.Delivered, d.Expected)
	s.result.Latency = seen.Latency()
	return err
}

// tell prints the figures for people.
func (s *scene) tell() {
	r := &s.result
	s.say("%d of %d held, %d of %d delivered (%d doubled, %d out of order), %d heartbeats", r.Held, r.Connections,
		r.Deliveries.Delivered, r.Deliveries.Expected, r.Deliveries.Doubled, r.Deliveries.Disordered, r.Heartbeats)
	if r.Cluster != "" {
		s.say("%.0f bytes between servers, or to the broker, per broadcast", r.BrokerBytes)
	}
	if l := r.Latency; l != nil {
		s.say("latency p50 %.1f ms, p99 %.1f ms, p99.9 %.1f ms, max %.1f ms", l.P50/1e3, l.P99/1e3, l.P999/1e3, l.Max/1e3)
	}
	s.say("CPU per delivery: servers %.2f µs (%.2f without %d heartbeats), clients %.2f µs; saturated: %s",
		r.ServerUsage.PerUnit, r.NetPerUnit, r.Meanwhile, r.ClientUsage.PerUnit, r.Saturated)
}
