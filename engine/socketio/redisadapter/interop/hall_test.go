package interop_test

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// hall is what all fleets of a test share: one Redis, one Node process full of clients, and one with Node's servers.
type hall struct {
	t      *testing.T
	store  *redistest.Server
	driver *clienttest.Driver

	once    sync.Once
	program *clienttest.Program
}

func openHall(t *testing.T) *hall {
	t.Helper()
	return &hall{t: t, driver: clienttest.Start(t), store: redistest.Start(t, redistest.Options{})}
}

// servers is the program that opens Node's servers.
var servers = filepath.Join("testdata", "servers.mjs")

// node returns the process of Node's servers, which is started for the first who asks and ends with the test of the hall.
func (h *hall) node(t *testing.T) *clienttest.Program {
	t.Helper()
	h.once.Do(func() { h.program = clienttest.StartProgram(h.t, servers) })
	return h.program
}
