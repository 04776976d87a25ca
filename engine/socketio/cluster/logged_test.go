package cluster_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/clustertest"
)

func TestServersOverALogBehaveAsOne(t *testing.T) {
	clustertest.Run(t, func(t *testing.T, n int, o socketio.Options) (list []*socketio.Server) {
		j := new(clustertest.Journal)
		for range n {
			d := j.Open(cluster.TailOptions{Patience: patience}, false)
			t.Cleanup(d.Close)
			r := recoveryOptions
			o.ConnectionStateRecovery, o.Adapter = &r, d.Adapter
			list = append(list, socketio.New(o))
		}
		return list
	})
}

// What was emitted while a client was on its way from one server to another, it has when
// it is there.
func TestAClientGoesOnWithAnotherServer(t *testing.T) {
	t.Parallel()
	w := newTown(t, new(clustertest.Journal), 3, cluster.TailOptions{Patience: patience}, false)
	defer w.close()
	c := newRoamer(t)
	c.connect(w.servers[0])
	ok(t, w.socket(0, c.sid).Join("room"))
	ok(t, w.servers[1].Emit("one"))
	c.expect(`["one"]`)
	c.vanish(true)
	sid := c.sid
	ok(t, w.servers[2].To("room").Emit("two"))
	ok(t, w.servers[1].To("elsewhere").Emit("not yours"))
	ok(t, w.servers[1].Except("room").Emit("nor this"))
	ok(t, w.servers[2].To(sid).Emit("three", []byte("x")))
	if !c.connect(w.servers[1]) || c.sid != sid {
		t.Fatal("not recovered")
	}
	c.expect(`["one"]`, `["two"]`, `["three",{"_placeholder":true,"num":0}]+`)
	ok(t, w.servers[2].To("room").Emit("four"))
	c.expect(`["one"]`, `["two"]`, `["three",{"_placeholder":true,"num":0}]+`, `["four"]`)
	ok(t, w.socket(1, sid).Emit("five"))
	c.expect(`["one"]`, `["two"]`, `["three",{"_placeholder":true,"num":0}]+`, `["four"]`, `["five"]`)
}
