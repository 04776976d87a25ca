package embedded

import (
	"context"
	"fmt"
	"net"

	"github.com/nats-io/nats-server/v2/server"
)

// Server is a NATS server in this process. Its methods are safe for concurrent use.
type Server struct {
	options Options
	nats    *server.Server
}

// open is what a NATS server (2.15) waits for before it speaks to others of its cluster: that
// its port for clients is open. One without such a port waits for ever, on a goroutine that
// cannot be ended; so the wait is skipped by calling the rest of it here.
var open = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// Start starts a server, and returns once it takes connections. Other servers of the
// cluster need not be there yet.
func Start(options Options) (*Server, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	o, err := options.server()
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	l := newLogger(options.Logger)
	s.SetLoggerV2(l, false, false, false)
	s.Start()
	if l.fatal.Load() == nil && o.DontListen && o.Cluster.Port != 0 {
		s.StartRouting(open)
	}
	if l.fatal.Load() == nil && s.ReadyForConnections(options.ReadyTimeout) {
		return &Server{options, s}, nil
	}
	s.Shutdown()
	s.WaitForShutdown()
	if why := l.fatal.Load(); why != nil {
		return nil, fmt.Errorf("embedded: %s", *why)
	}
	return nil, fmt.Errorf("embedded: not ready after %v", options.ReadyTimeout)
}

// InProcessConn makes a connection to the server without a network: the Server is what
// natsadapter.Options.InProcess, or nats.InProcessServer, wants.
func (s *Server) InProcessConn() (net.Conn, error) { return s.nats.InProcessConn() }

// Name is what this server is called in its cluster.
func (s *Server) Name() string { return s.nats.Name() }

// ClusterAddr is where other servers find this one: what goes into their Seeds. Empty for
// one that is alone.
func (s *Server) ClusterAddr() string {
	if a := s.nats.ClusterAddr(); a != nil {
		return a.String()
	}
	return ""
}

// Addr is where clients find this server; empty without Options.Listen.
func (s *Server) Addr() string {
	if a := s.nats.Addr(); a != nil && s.options.Listen != "" {
		return a.String()
	}
	return ""
}

// Routes is how many other servers of the cluster are connected with this one.
func (s *Server) Routes() int {
	v, err := s.nats.Routez(nil)
	if err != nil {
		return 0
	}
	names := make(map[string]struct{})
	for _, r := range v.Routes {
		names[r.RemoteID] = struct{}{} // of each there are several connections
	}
	return len(names)
}

// Ready returns nil while the server runs and, where it has Seeds, knows another server;
// and, with JetStream, while that can be used.
func (s *Server) Ready() error {
	switch {
	case !s.nats.Running():
		return fmt.Errorf("embedded: the NATS server has stopped")
	case len(s.options.Seeds) > 0 && s.Routes() == 0:
		return fmt.Errorf("embedded: no other server of the cluster %q is reached", s.options.ClusterName)
	case s.options.JetStream != nil && !s.nats.JetStreamEnabled():
		return fmt.Errorf("embedded: JetStream is off")
	}
	return nil
}

// Shutdown stops the server, after those who use it. It returns early when ctx is done.
func (s *Server) Shutdown(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
