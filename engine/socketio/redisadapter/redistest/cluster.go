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
	const slots = 16384
	var all []*Server
	for i := range n {
		s := Start(t, Options{Args: []string{"--cluster-enabled", "yes"}})
		all = append(all, s)
		s.Command("CLUSTER", "ADDSLOTSRANGE", fmt.Sprint(slots*i/n), fmt.Sprint(slots*(i+1)/n-1))
		host, port, _ := net.SplitHostPort(all[0].Addr)
		if i > 0 {
			s.Command("CLUSTER", "MEET", host, port)
		}
	}
	for _, s := range all {
		for deadline := time.Now().Add(patience); !s.knows(n); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("redistest: the servers do not find each other")
			}
		}
	}
	return all
}

// knows reports whether the server is one of n that have all the slots.
func (s *Server) knows(n int) bool {
	info := s.Command("CLUSTER", "INFO")
	return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_size:%d\r", n))
}
