package interop_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// nodeServer is one of Node's.
type nodeServer struct {
	name    string
	address string
	program *clienttest.Program
}

// openNode has the program open a server that is connected with others as the fleet says.
func openNode(t testing.TB, program *clienttest.Program, name string, f *fleet) *nodeServer {
	t.Helper()
	s := &nodeServer{name: name, program: program}
	var opened struct{ URL string }
	program.Ask(t, &opened, "open", map[string]any{
		"name": name, "mode": f.mode.adapter, "library": f.mode.library, "redis": f.redis, "prefix": f.prefix,
		"options": f.mode.node, "recovery": f.recovery, "namespaces": f.namespaces(name),
		"pingInterval": 25_000, "pingTimeout": 20_000,
	})
	s.address = opened.URL
	t.Cleanup(func() { s.close(t) })
	return s
}

func (s *nodeServer) url() string { return s.address }

func (s *nodeServer) do(t testing.TB, o order) (r result) {
	t.Helper()
	s.program.Ask(t, &r, "order", map[string]any{"name": s.name, "order": o})
	return r
}

func (s *nodeServer) try(o order) (r result, err error) {
	err = s.program.Try(&r, "order", map[string]any{"name": s.name, "order": o})
	return r, err
}

// close does nothing where the process was killed.
func (s *nodeServer) close(t testing.TB) {
	if s.program.Alive() {
		s.program.Ask(t, nil, "close", map[string]any{"name": s.name})
	}
}
