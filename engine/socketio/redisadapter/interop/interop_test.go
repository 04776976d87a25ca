package interop_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// pairs are the fleets that every case is run in, as Node's alone say what is right.
var pairs = []struct {
	name, a, b string
}{
	{"node-node", "node", "node"},
	{"node-go", "node", "go"},
	{"go-go", "go", "go"},
}

// TestInterop runs every case with every adapter, in both directions.
func TestInterop(t *testing.T) {
	t.Parallel()
	h := openHall(t)
	for _, m := range modes {
		for _, p := range pairs {
			t.Run(m.name+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				f := openFleet(t, h, m, false, p.a, p.b)
				f.settle(t, h)
				f.playAll(t, h.driver, p.a, p.b)
				if p.a != p.b {
					f.playAll(t, h.driver, p.b, p.a)
				}
			})
		}
	}
}

// playAll runs all cases with the first server of that kind as a.
func (f *fleet) playAll(t *testing.T, d *clienttest.Driver, a, b string) {
	first := slices.IndexFunc(f.servers, func(m *member) bool { return strings.Contains(m.name, "-"+a+"-") })
	for _, c := range cases() {
		if c.group == "emitter" && a == "go" {
			continue // there is none yet
		}
		if c.in != nil && !slices.Contains(c.in, f.mode.adapter) || c.long && testing.Short() {
			continue
		}
		t.Run(a+" to "+b+"/"+c.group+" "+c.name, func(t *testing.T) {
			if got := f.play(t, d, first, c.run); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
