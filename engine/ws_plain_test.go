package engine_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// A plain request that names the transport of a session over WebSocket has no answer there.
func TestAPlainRequestForAWebSocketsSession(t *testing.T) {
	f := startFacts(t, engine.Options{Loops: 1})
	w, o := f.openWS()
	for _, method := range []string{"GET", "POST", "PUT"} {
		c := f.dial()
		if r := c.do(method, wsURL+"&sid="+o.SID, ""); r.StatusCode != 400 {
			t.Errorf("%s: %s %q", method, r.Status, r.body)
		}
	}
	if n := f.srv.Stats().Panics; n != 0 {
		t.Errorf("%d panics", n)
	}
	f.echoes(w, f.session(o.SID))
}
