package engine_test

import (
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// Options.Transports and NoUpgrades say what a client may use, and what it is offered.
func TestTransportsThatAreNotListed(t *testing.T) {
	for _, tt := range []struct {
		name              string
		options           engine.Options
		polling, upgrades bool
		webSocket         int // status
	}{
		{"both", engine.Options{}, true, true, 101},
		{"only polling", engine.Options{Transports: []engine.Transport{engine.Polling}}, true, false, 400},
		{"only WebSocket", engine.Options{Transports: []engine.Transport{engine.WebSocket}}, false, false, 101},
		{"no upgrades", engine.Options{NoUpgrades: true}, true, false, 101},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t, tt.options)
			if r := f.dial().do("GET", wsURL, "", wsHeader); r.StatusCode != tt.webSocket {
				t.Errorf("WebSocket: %s, want %d", r.Status, tt.webSocket)
			}
			if !tt.polling {
				c := f.dial()
				c.request("GET", pollURL, "")
				c.expect(codeError(0, "Transport unknown"))
				return
			}
			_, o := f.openPolling()
			if got := slices.Contains(o.Upgrades, "websocket"); got != tt.upgrades {
				t.Errorf("upgrades %v", o.Upgrades)
			}
			if !tt.upgrades {
				if r := f.dial().do("GET", wsURL+"&sid="+o.SID, "", wsHeader); r.StatusCode != 400 {
					t.Errorf("an upgrade: %s", r.Status)
				}
			}
		})
	}
}
