package redisadapter_test

import (
	"log/slog"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

func TestClassicConforms(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t, redistest.Options{})
	clustertest.Run(t, func(t *testing.T, n int, options socketio.Options) []*socketio.Server {
		var servers []*socketio.Server
		var fleets []*redisadapter.Fleet
		for range n {
			f := join(t, redisadapter.Options{URL: db.URL, Prefix: t.Name()})
			options.Adapter = f.Adapter
			options.Logger = slog.New(slog.DiscardHandler)
			servers, fleets = append(servers, socketio.New(options)), append(fleets, f)
		}
		settle(t, fleets...)
		return servers
	})
}
