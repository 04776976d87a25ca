package redisadapter_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel/tunneltest"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

func TestRedisCarriesStreamsBetweenServers(t *testing.T) {
	db := redistest.Start(t, redistest.Options{})
	o := redisadapter.Options{URL: db.URL, Prefix: "tunnels"}
	tunneltest.Run(t, join(t, o).Carrier(), join(t, o).Carrier())
}
