package k6

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// What socketio.js does about faults of k6 1.8.1.

// A timer that is cleared in the moment it is due has k6 run the next one.
func TestTimersAreNeverEarly(t *testing.T) {
	if o := run(t, "testdata/after.js", "http://localhost:1"); o.code != 0 {
		t.Errorf("exit code %d\n%s", o.code, o.log)
	}
}

// A message that comes before onopen is dropped, and servers send their open
// packet at once. Here it is not sent at all, which is the same to the client.
func TestAnOpenPacketThatIsNotSeenIsDoneWithout(t *testing.T) {
	requireK6(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		for {
			packet, err := wsutil.ReadClientText(conn) // answers the close frame
			if err != nil {
				return
			}
			if string(packet) == "40" {
				_ = wsutil.WriteServerText(conn, []byte(`40{"sid":"abc"}`))
			}
		}
	}))
	t.Cleanup(s.Close)
	if o := run(t, "testdata/unseen.js", s.URL); o.code != 0 {
		t.Errorf("exit code %d\n%s", o.code, o.log)
	}
}
