package clienttest_test

import (
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// unhurried keeps the server's clocks out of it: a thousand clients share one Node process, and on a busy machine that
// process alone may need longer than the usual 10 s for a probe or 20 s for a pong.
var unhurried = houseOptions{pingTimeout: time.Minute, upgradeTimeout: time.Minute}

func TestAThousandClientsAtOnce(t *testing.T) {
	n := 1000
	if testing.Short() {
		n = 300
	}
	driver := clienttest.Start(t)
	for _, transport := range transports {
		t.Run(transport.name, func(t *testing.T) {
			house := openHouse(t, unhurried)
			crowd := driver.ConnectMany(t, n, clienttest.ClientOptions{URL: house.url, Transports: transport.names})

			for i, ack := range crowd.EmitAck("mirror", "me", binary(1)) {
				if len(ack) != 2 {
					t.Fatalf("client %d: ack %s", i, ack)
				}
			}
			crowd.At(0).Emit("shout", "everyone")
			for i, got := range crowd.Wait("reply", 1) {
				if text := clienttest.Value[string](t, got[0][0]); text != "everyone" {
					t.Fatalf("client %d: %q", i, text)
				}
			}
			crowd.Disconnect()
			if reasons := crowd.WaitDisconnect(); reasons["io client disconnect"] != n {
				t.Fatalf("reasons %v, want %d x io client disconnect", reasons, n)
			}
		})
	}
}
