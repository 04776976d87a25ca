package clienttest_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// What the stock clients make of a server that lets in so many per second: the answer 503 is a connect_error to them,
// they try again by themselves, and whoever is in notices nothing. The header Retry-After they cannot see.
func TestClientsBeyondTheAcceptRateComeBack(t *testing.T) {
	words := map[string]string{"polling": "xhr poll error", "websocket": "websocket error"}
	eachWay(t, houseOptions{acceptRate: 2, acceptBurst: 1}, apart(func(j *journey) {
		options := j.options()
		options.Reconnect = true
		first, late, refusal := j.untilRefused(options)
		if want := words[j.transports[0]]; refusal.Message != want {
			j.Errorf("connect_error %q, want %q", refusal.Message, want)
		}
		if !late.State().Active {
			j.Error("the client gave up")
		}
		late.WaitReconnect()
		for _, c := range []*clienttest.Client{first, late} {
			if len(j.transports) > 1 { // an upgrade is no new client, so it goes through
				c.WaitUpgrade()
			}
			requireArgs(j.T, array{"in"}, c.EmitAck("mirror", "in"))
		}
		if n := first.Count("$disconnect"); n > 0 {
			j.Errorf("who was in was disconnected %d times", n)
		}
	}))
}

// untilRefused connects clients until one is refused, and returns the one before it, too.
func (j *journey) untilRefused(o clienttest.ClientOptions) (in, out *clienttest.Client, refusal *clienttest.ConnectError) {
	j.Helper()
	before := j.house.server.Stats().Engine.Limited
	for range 100 {
		c, refusal := j.driver.TryConnect(j.T, o)
		if refusal == nil {
			in = c
			continue
		}
		if in == nil { // the one before took the place; it comes in by itself
			c.WaitReconnect()
			in = c
			continue
		}
		if j.house.server.Stats().Engine.Limited == before {
			j.Error("the refusal was not counted")
		}
		return in, c, refusal
	}
	j.Fatal("nobody was refused")
	return nil, nil, nil
}
