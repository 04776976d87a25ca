package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/forward"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
	"github.com/fanfare-go/fanfare/engine/socketio/natsadapter"
	"github.com/fanfare-go/fanfare/pprof"
)

// fleet is what connects this server with the others.
type fleet interface {
	Adapter(*socketio.MemoryAdapter) socketio.Adapter
	Ready() error // says what is amiss
	Close() error
	Carrier() tunnel.Carrier
	metrics() []pprof.Metric
}

// openFleet connects with the others; nil for a server that is alone. The broker need not
// be there yet.
func openFleet(ctx context.Context, c *config.Cluster, log *slog.Logger) (fleet, error) {
	switch c.Kind() {
	case "redis":
		return openRedis(c, log)
	case "nats":
		return openNATS(ctx, c, log, natsadapter.Options{URLs: []string{c.Cluster}, Credentials: c.ClusterCredentials})
	case config.Embedded:
		return openEmbedded(ctx, c, log)
	}
	return nil, nil
}

// joinFleet connects with the others, and has them pass on requests that reach the wrong server.
func (p *parts) joinFleet(ctx context.Context) (err error) {
	c := p.config.Cluster
	if c.ClusterNode == "" {
		c.ClusterNode = nodeName(p.config.Listen.Port)
	}
	if p.fleet, err = openFleet(ctx, &c, p.log); err != nil || p.fleet == nil || c.ClusterSticky {
		return err
	}
	if p.forward, err = forward.New(p.fleet.Carrier(), forward.Options{Logger: p.log}); err != nil {
		p.leaveFleet()
	}
	return err
}

// fleetPatience is how long the start waits for the cluster, so that the first clients are those of all servers, and
// recovered. A server whose cluster is not there serves its own.
const (
	fleetPatience = 5 * time.Second
	storePatience = 20 * time.Second // where servers that keep something have to elect one of them first
)

// awaitFleet returns when the cluster is there, or has not come, and says from then on how it is.
func (p *parts) awaitFleet(ctx context.Context) {
	if p.fleet == nil {
		return
	}
	err := p.waitForFleet(ctx)
	if err != nil {
		p.log.Warn("cluster: it is not there yet; clients are served without", "error", oneLine(err))
	}
	p.chat.Hello() // nobody may have heard it before
	w := fleetWatch{ready: p.fleet.Ready, back: p.chat.Hello, log: p.log, amiss: err != nil, since: time.Now()}
	go w.run(ctx)
}

func (p *parts) waitForFleet(ctx context.Context) error {
	begin, patience := time.Now(), fleetPatience
	if p.config.Cluster.ClusterStore != "" {
		patience = storePatience
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := p.fleet.Ready()
		if err == nil || time.Since(begin) > patience || ctx.Err() != nil {
			return err
		}
		<-tick.C
	}
}

// nodeName is what a server is called that nobody has given a name.
func nodeName(port int) string {
	host, err := os.Hostname()
	if err != nil {
		host = "fanfare"
	}
	if port == 0 { // any
		return fmt.Sprintf("%s-pid%d", host, os.Getpid())
	}
	return fmt.Sprintf("%s-%d", host, port)
}

// leaveFleet ends what joinFleet has begun, after the server.
func (p *parts) leaveFleet() {
	if p.fleet == nil {
		return
	}
	var err error
	if p.forward != nil {
		err = p.forward.Close()
	}
	if err = errors.Join(err, p.fleet.Close()); err != nil {
		p.log.Warn("cluster: not everything was said to the other servers", "error", err)
	}
}

// adapterOf is the option of the server; nil for one that is alone.
func adapterOf(f fleet) func(*socketio.MemoryAdapter) socketio.Adapter {
	if f == nil {
		return nil
	}
	return f.Adapter
}
