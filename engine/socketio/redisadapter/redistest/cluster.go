package redistest

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// StartCluster runs a Redis Cluster of n servers, which share the slots, until the test
// ends.
func StartCluster(t testing.TB, n int) []*Server {
	t.Helper()
	var all []*Server
	for i := range n {
		s := Start(t, Options{Args: []string{"--cluster-enabled", "yes"}})
		all = append(all, s)
		s.join(all[0], i, n)
	}
	for _, s := range all {
		s.settle(n)
	}
	return all
}

// join makes s number i of the n servers of a cluster, that of first.
func (s *Server) join(first *Server, i, n int) {
	s.t.Helper()
	const slots = 16384
	s.Command("CLUSTER", "ADDSLOTSRANGE", fmt.Sprint(slots*i/n), fmt.Sprint(slots*(i+1)/n-1))
	if s != first {
		host, port, _ := net.SplitHostPort(first.Addr)
		s.Command("CLUSTER", "MEET", host, port)
	}
}

// settle waits until the server is one of n that have all the slots.
func (s *Server) settle(n int) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); !s.knows(n); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatal("redistest: the servers of the cluster do not find each other")
		}
	}
}

// knows reports whether the server is one of n that have all the slots.
func (s *Server) knows(n int) bool {
	info := s.Command("CLUSTER", "INFO")
	return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_size:%d\r", n))
}
