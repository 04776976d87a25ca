package main_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// Who may look at everything cannot become somebody else.
func TestAdminsAreNotShownTokens(t *testing.T) {
	secrets := secretFile(t, chatSecret)
	p := start(t, withAdminUI(t, "--admin-ui=development", "--auth-secret-file="+secrets))
	admin := openWebSocket(t, p.url)
	login, err := json.Marshal(map[string]string{"username": adminName, "password": adminPassword})
	if err != nil {
		t.Fatal(err)
	}
	admin.send("40/admin," + string(login))
	admin.expect("42/admin,[\"all_sockets\"")
	token := mint(t, secrets, "--subject=ann")
	s := openWebSocket(t, p.url)
	if _, refusal := connectAs(s, map[string]string{"token": token}); refusal != "" {
		t.Fatal(refusal)
	}
	s.emit("refresh", token)
	for {
		switch packet := admin.receive("event_received"); {
		case strings.Contains(packet, token):
			t.Fatalf("%s", packet)
		case strings.Contains(packet, `["refresh","(hidden)"]`):
			return
		}
	}
}
