package clustertest_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
)

// ants and gnet start goroutines of their default pools when they are loaded.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent(),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}

func overBus(b *clustertest.Bus) clustertest.Maker {
	return func(t *testing.T, n int, o socketio.Options) []*socketio.Server {
		var list []*socketio.Server
		for range n {
			o.Adapter = b.Adapter(cluster.Options{})
			list = append(list, socketio.New(o))
		}
		return list
	}
}

func TestServersOfOneKind(t *testing.T) { clustertest.Run(t, overBus(&clustertest.Bus{})) }

func TestServersAsOverRedis(t *testing.T) {
	clustertest.Run(t, overBus(&clustertest.Bus{Counted: true, Foreign: true}))
}
