package natsadapter

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
)

func TestNATSCarriesStreamsBetweenServers(t *testing.T) {
	nodes := startNodes(t, 2, Options{})
	tunneltest.Run(t, nodes[0].Carrier(), nodes[1].Carrier())
	for _, n := range nodes {
		if st := n.Stats(); st.Malformed > 0 {
			t.Errorf("%+v", st)
		}
	}
}
