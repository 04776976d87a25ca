package main_test

import (
	"strings"
	"syscall"
	"testing"
)

// What the API has answered as stored is in the history of the next start.
func TestWhatTheAPIHasStoredIsThereAfterARestart(t *testing.T) {
	store := t.TempDir() + "/history.db"
	p, url := publishingTo(t, "--history="+store)
	ask(t, "POST", url.api+"/v1/messages", `{"name":"Bot","text":"before the stop"}`, "Content-Type", "application/json", "X-API-Key", apiKey).
		want(t, 200, `"stored":true`)
	if got := url.socket.receive("reply"); !strings.HasPrefix(got, `42["reply","before the stop",{"id":"`) || !strings.Contains(got, `"name":"Bot"`) {
		t.Error(got)
	}
	p.stop(syscall.SIGINT)
	p, again := publishing(t, "--history="+store)
	get(t, again+"/v1/history", "X-API-Key", apiKey).want(t, 200, `"text":"before the stop"`)
	p.stop(syscall.SIGTERM)
}
