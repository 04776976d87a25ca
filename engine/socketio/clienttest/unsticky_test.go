package clienttest_test

import (
	"bytes"
	"strings"
	"syscall"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// A balancer without sticky sessions sends a third of all requests to the right server.

func TestClientsNeedNoStickyBalancer(t *testing.T) {
	driver := clienttest.Start(t)
	f := openFleet(t, 3)
	versions := []string{clienttest.V48, clienttest.V45, clienttest.V40, clienttest.V25}
	if testing.Short() {
		versions = []string{clienttest.V48, clienttest.V25}
	}
	for _, version := range versions {
		for _, transport := range transports {
			t.Run(version+"/"+transport.name, func(t *testing.T) {
				before := f.forwarded()
				roam(&journey{T: t, house: &house{url: f.url}, driver: driver, way: way{version, transport.names, false}})
				if n := f.forwarded() - before; n == 0 && transport.name != "websocket" {
					t.Error("every request has reached the right server")
				}
			})
		}
	}
}

// roam does everything that a client can do.
func roam(j *journey) {
	clients := make([]*clienttest.Client, 4)
	room := j.Name()
	for i := range clients {
		clients[i] = j.settled()
		clients[i].EmitAck("join", room)
	}
	a, b := clients[0], clients[1]
	for _, p := range payloads {
		if p.name != hugeNumber {
			a.Emit("echo", p.args...)
			requireArgs(j.T, p.args, a.Wait("echoed", 1)[0])
			requireArgs(j.T, p.args, b.EmitAck("mirror", p.args...))
		}
	}
	text, large := strings.Repeat("large ", 150_000), clienttest.Binary(bytes.Repeat([]byte("large "), 120_000)) // 900 kB; over polling, binary is base64
	requireArgs(j.T, array{text}, a.EmitAck("mirror", text))
	requireArgs(j.T, array{large, "beside"}, b.EmitAck("mirror", large, "beside"))

	b.AnswerEcho("question")
	b.Emit("ask", "how are you", binary(1, 2))
	requireArgs(j.T, array{"how are you", binary(1, 2)}, b.Wait("answered", 1)[0])

	a.Emit("toRoom", room, "to all in the room")
	for _, c := range clients {
		requireTexts(j.T, c, "room", "to all in the room")
	}
	a.Emit("toOthersInRoom", room, "to the others")
	a.Emit("toRoom", room, "end")
	for _, c := range clients[1:] {
		requireTexts(j.T, c, "room", "to the others", "end")
	}
	requireTexts(j.T, a, "room", "end")

	a.Emit("burst", 300)
	for i, got := range a.Wait("tick", 300) {
		if n := clienttest.Value[int](j.T, got[0]); n != i {
			j.Fatalf("tick %d came as number %d", n, i)
		}
	}
	a.EmitSequence("seq", 300)
	if got := clienttest.Value[tally](j.T, a.EmitAck("seqEnd", struct{}{})[0]); got != (tally{300, true}) {
		j.Fatalf("%+v", got)
	}
}

func TestAHundredClientsNeedNoStickyBalancer(t *testing.T) {
	if testing.Short() {
		t.Skip("the matrix shows it, with fewer clients")
	}
	const n = 100
	driver := clienttest.Start(t)
	f := openFleet(t, 3)
	for _, transport := range transports {
		t.Run(transport.name, func(t *testing.T) {
			crowd := driver.ConnectMany(t, n, clienttest.ClientOptions{URL: f.url, Transports: transport.names})
			if transport.name == "upgrade" {
				crowd.WaitUpgrade()
			}
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
		})
	}
}

func TestClientsOfAServerThatIsGoneReachAnother(t *testing.T) {
	driver := clienttest.Start(t)
	for _, end := range []struct {
		name   string
		signal syscall.Signal
	}{{"killed", syscall.SIGKILL}, {"stopped", syscall.SIGTERM}} {
		t.Run(end.name, func(t *testing.T) {
			if testing.Short() && end.signal == syscall.SIGKILL {
				t.Skip("takes 5 s, after which a server that says nothing counts as gone")
			}
			f := openFleet(t, 3)
			var crowds []*clienttest.Group
			for _, transport := range transports {
				crowd := driver.ConnectMany(t, 12, clienttest.ClientOptions{URL: f.url, Transports: transport.names, Reconnect: true})
				if transport.name == "upgrade" {
					crowd.WaitUpgrade()
				}
				crowd.EmitAck("mirror", "before")
				crowds = append(crowds, crowd)
			}
			if f.ask(0, "/sockets") < 3 {
				t.Fatal("the server has hardly any clients")
			}
			if err := f.servers[0].cmd.Process.Signal(end.signal); err != nil {
				t.Fatal(err)
			}
			// Those whose poll it held for another server have lost that, too.
			f.eventually("the others know that it is gone", func() bool { return f.ask(1, "/others") == 1 && f.ask(2, "/others") == 1 })
			f.eventually("all clients are with the others", func() bool { return f.ask(1, "/sockets")+f.ask(2, "/sockets") == 36 })
			for _, crowd := range crowds {
				for i, ack := range crowd.EmitAck("mirror", "after", binary(1)) {
					if len(ack) != 2 {
						t.Fatalf("client %d: ack %s", i, ack)
					}
				}
			}
		})
	}
}
