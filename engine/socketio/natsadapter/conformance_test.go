package natsadapter

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
)

func TestServersOnNATSDoWhatOneServerDoes(t *testing.T) {
	t.Parallel()
	for name, subjects := range map[string]Subjects{"hashed": Hashed, "static": Static, "per room": PerRoom} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && subjects != Hashed {
				t.Skip("one layout will do")
			}
			clustertest.Run(t, func(t *testing.T, n int, options socketio.Options) (servers []*socketio.Server) {
				for _, node := range startNodes(t, n, Options{Subjects: subjects}) {
					options.Adapter = node.Adapter
					options.Logger = quiet()
					servers = append(servers, socketio.New(options))
				}
				return servers
			})
		})
	}
}
