package tunneltest_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
)

func TestABusCarriesStreams(t *testing.T) {
	bus := new(tunneltest.Bus)
	tunneltest.Run(t, bus, bus)
}
