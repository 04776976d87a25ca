package main_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// crowd is many official clients of one kind.
type crowd struct {
	name string
	*clienttest.Group
}

// gather connects 200 clients, of every kind a third, which reconnect by themselves.
func gather(t *testing.T, d *clienttest.Driver, url string) []crowd {
	t.Helper()
	var crowds []crowd
	for _, kind := range []struct {
		name       string
		n          int
		transports []string
	}{
		{"polling", 67, clienttest.Polling},
		{"websocket", 67, clienttest.WebSocket},
		{"upgrade", 66, clienttest.Upgrade},
	} {
		o := clienttest.ClientOptions{URL: url, Transports: kind.transports, Reconnect: true}
		crowds = append(crowds, crowd{kind.name, d.ConnectMany(t, kind.n, o)})
	}
	crowds[2].WaitUpgrade()
	return crowds
}

// speak has every client say something of its own, without waiting for answers.
func speak(crowds []crowd, what string) {
	for _, c := range crowds {
		for i := range c.Len() {
			c.At(i).Emit("chatMessage", fmt.Sprintf("%s %s %d", what, c.name, i))
		}
	}
}

// kill -TERM during load: deliveries are under way to every client when the signal
// comes, and polling clients are anywhere between two polls.
func TestTerminatedDuringLoadEveryClientReturns(t *testing.T) {
	const clients = 200
	port := freePort(t)
	again := command{args: []string{"--port=" + port, "--admin=127.0.0.1:0"}}
	p := start(t, again)
	driver := clienttest.Start(t)
	crowds := gather(t, driver, p.url)

	speak(crowds, "before")
	crowds[1].At(0).Wait("reply", 1)
	p.stop(syscall.SIGTERM)
	for _, c := range crowds {
		requireCleanEnd(t, c)
	}

	next := start(t, again)
	for _, c := range crowds {
		c.WaitReconnect()
	}
	next.counts(map[string]float64{`fanfare_sockets{namespace="/"}`: clients})
	// What a client received together with the close, it delivers when it is connected again.
	received := count(crowds)
	speak(crowds, "after")
	for c, crowd := range crowds {
		for i := range crowd.Len() {
			requireOnce(t, crowd.At(i).Wait("reply", received[c][i]+clients), "after", clients)
		}
	}
	crowds[0].At(0).Emit("chatMessage", "end")
	for _, c := range crowds {
		for i, got := range c.Wait("reply", 1) {
			if text := clienttest.Value[string](t, got[0][0]); text != "end" {
				t.Fatalf("%s %d received %q, want nothing but the end", c.name, i, text)
			}
		}
	}
}

// requireCleanEnd waits for every client's disconnect.
func requireCleanEnd(t *testing.T, c crowd) {
	t.Helper()
	unclean := map[clienttest.Disconnect]int{}
	for i := range c.Len() {
		if d := c.At(i).WaitDisconnect(); d.Reason != "transport close" {
			unclean[d]++
		}
	}
	if len(unclean) > 0 {
		t.Errorf("%s: %v, want transport close %d times", c.name, unclean, c.Len())
	}
}

// count returns how many replies each client has received.
func count(crowds []crowd) [][]int {
	counts := make([][]int, len(crowds))
	for c, crowd := range crowds {
		for i := range crowd.Len() {
			counts[c] = append(counts[c], crowd.At(i).Count("reply"))
		}
	}
	return counts
}

// requireOnce fails the test unless every message came once at most, and n of them
// begin with the prefix.
func requireOnce(t *testing.T, replies [][]json.RawMessage, prefix string, n int) {
	t.Helper()
	seen := map[string]bool{}
	for _, args := range replies {
		text := clienttest.Value[string](t, args[0])
		if seen[text] {
			t.Fatalf("%q came twice", text)
		}
		seen[text] = true
		if strings.HasPrefix(text, prefix) {
			n--
		}
	}
	if n != 0 {
		t.Fatalf("%d messages that begin with %q are missing", n, prefix)
	}
}
