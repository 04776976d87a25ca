package engine_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

func TestOriginsAreReplacedWhileTheServerRuns(t *testing.T) {
	f, healthy := startAbused(t, engine.Options{CORS: engine.CORS{Origins: []string{"https://one.example"}}})
	require := func(origin string, want int) {
		t.Helper()
		if got := f.handshakeFrom(origin, wsURL, wsHeader).StatusCode; got != want {
			t.Errorf("WebSocket from %s: %d, want %d", origin, got, want)
		}
	}
	require("https://one.example", 101)
	require("https://two.example", 403)
	f.srv.SetCORS(engine.CORS{Origins: []string{"https://two.example"}})
	require("https://one.example", 403)
	require("https://two.example", 101)
	if got := f.handshakeFrom("https://two.example", pollURL, "X: y").Header.Get("Access-Control-Allow-Origin"); got != "https://two.example" {
		t.Errorf("polling is told %q", got)
	}
	healthy.answers(t)
}
