package clienttest_test

import (
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

var ends = []struct {
	name   string
	act    func(c *clienttest.Client)
	client string
	server string
	only   string // the transport it makes sense for; all when empty
}{
	{"the client leaves", (*clienttest.Client).Disconnect,
		"io client disconnect", "client namespace disconnect", ""},
	{"the server disconnects the namespace", func(c *clienttest.Client) { c.Emit("kick", false) },
		"io server disconnect", "server namespace disconnect", ""},
	{"the server disconnects the connection", func(c *clienttest.Client) { c.Emit("kick", true) },
		"io server disconnect", "server namespace disconnect", ""},
	{"the client closes the transport", (*clienttest.Client).CloseTransport,
		"forced close", "transport close", ""},
	{"the network is lost", (*clienttest.Client).Abort,
		"transport close", "transport close", "websocket"},
}

func TestBothSidesNameTheReasonOfADisconnect(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		for _, end := range ends {
			if end.only == "" || end.only == j.transports[len(j.transports)-1] {
				j.Log(end.name)
				requireReasons(j, end.act, end.client, end.server)
			}
		}
	})
}

func TestSilentClientIsGivenUp(t *testing.T) {
	short := houseOptions{pingInterval: 300 * time.Millisecond, pingTimeout: time.Second}
	eachWay(t, short, apart(func(j *journey) {
		requireReasons(j, (*clienttest.Client).Deafen, "transport close", "ping timeout")
	}))
}

func requireReasons(j *journey, act func(*clienttest.Client), client, server string) {
	j.Helper()
	observer, c := j.observer(), j.settled()
	act(c)
	if got := c.WaitDisconnect().Reason; got != client {
		j.Errorf("the client says %q, want %q", got, client)
	}
	if got := gone(j, observer, c.ID()); got != server {
		j.Errorf("the server says %q, want %q", got, server)
	}
}

// gone waits for the server's word on one socket; words on others are those of earlier tests.
func gone(j *journey, observer *clienttest.Client, id string) string {
	j.Helper()
	for {
		g := clienttest.Value[struct{ ID, Reason string }](j.T, observer.Wait("gone", 1)[0][0])
		if g.ID == id {
			return g.Reason
		}
	}
}

func TestClientsReconnectToARestartedServer(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		c := j.settled(func(o *clienttest.ClientOptions) { o.Reconnect = true })

		j.house.restart(j.T)
		// A polling client that is between two polls finds nobody there any more, which is an error to it.
		got := c.WaitDisconnect().Reason
		if got != "transport close" && (got != "transport error" || len(j.transports) > 1 || j.transports[0] != "polling") {
			j.Errorf("the client says %q, want \"transport close\"", got)
		}
		if again := c.WaitReconnect(); again.SID == c.ID() {
			j.Error("the restarted server gave the same socket id")
		}
		requireArgs(j.T, array{"back"}, c.EmitAck("mirror", "back"))
	})
}
