package clienttest_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

func TestBroadcastReachesEveryoneAndTheOthers(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		a, b := j.connect(), j.connect()

		a.Emit("shout", "to all")
		a.Emit("others", "to the others")
		a.Emit("shout", "end")
		requireTexts(j.T, b, "reply", "to all", "to the others", "end")
		requireTexts(j.T, a, "reply", "to all", "end")
	})
}

func TestRoomsReachTheirMembersOnly(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		in, out, left := j.connect(), j.connect(), j.connect()
		room := j.Name()
		in.EmitAck("join", room)
		left.EmitAck("join", room)
		left.EmitAck("leave", room)

		out.Emit("toRoom", room, "from outside")
		fence(out)
		in.Emit("toRoom", room, "from inside")
		in.Emit("toOthersInRoom", room, "not to myself")
		requireTexts(j.T, in, "room", "from outside", "from inside")

		fence(in, out, left)
		for name, c := range map[string]*clienttest.Client{"in": in, "out": out, "left": left} {
			if n := c.Count("room"); n != 0 {
				j.Errorf("%s: %d messages too many", name, n)
			}
		}
	})
}

func TestNamespacesShareAConnectionAndNothingElse(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		main := j.connect()
		admin, refusal := main.Of("/admin", object{"token": "good"})
		if refusal != nil {
			j.Fatal(refusal)
		}
		if a, b := main.State(), admin.State(); a.Engine != b.Engine || a.SID == b.SID {
			j.Fatalf("want one connection and two socket ids: %+v %+v", a, b)
		}

		admin.Emit("shout", "to admins")
		requireTexts(j.T, admin, "reply", "to admins")
		main.Emit("shout", "to the rest")
		requireTexts(j.T, main, "reply", "to the rest")
		requireArgs(j.T, array{"an ack"}, admin.EmitAck("mirror", "an ack"))

		admin.Disconnect()
		requireArgs(j.T, array{"still here"}, main.EmitAck("mirror", "still here"))
		fence(main)
		if main.Count("reply") != 0 || admin.Count("reply") != 0 {
			j.Fatal("a message crossed from one namespace into the other")
		}
	})
}

func TestUnknownNamespaceIsRefused(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		main := j.connect()
		_, refusal := main.Of("/nowhere", nil)
		if refusal == nil || refusal.Message != "Invalid namespace" {
			j.Fatalf("refusal %v, want \"Invalid namespace\"", refusal)
		}
		requireArgs(j.T, array{"still here"}, main.EmitAck("mirror", "still here"))
	})
}

func TestRefusalCarriesDataAndMayBeTriedAgain(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		options := j.options()
		options.Namespace, options.Auth = "/admin", object{"token": "bad"}
		c, refusal := j.driver.TryConnect(j.T, options)
		want := "not authorised"
		if j.version == clienttest.V25 { // which is told the data alone
			want = ""
		}
		if refusal == nil || refusal.Message != want {
			j.Fatalf("refusal %v, want %q", refusal, want)
		}
		if data := clienttest.Value[struct{ Code int }](j.T, refusal.Data); data.Code != 7 {
			j.Fatalf("data %s, want code 7", refusal.Data)
		}

		if refusal := c.Reconnect(object{"token": "good"}); refusal != nil {
			j.Fatal(refusal)
		}
		requireArgs(j.T, array{"in"}, c.EmitAck("mirror", "in"))
	})
}

// fence returns when everything that the server sent to these clients before has arrived.
func fence(clients ...*clienttest.Client) {
	for _, c := range clients {
		c.EmitAck("mirror", "fence")
	}
}

func requireTexts(t *testing.T, c *clienttest.Client, event string, want ...string) {
	t.Helper()
	for i, args := range c.Wait(event, len(want)) {
		if got := clienttest.Value[string](t, args[0]); got != want[i] {
			t.Fatalf("%s %d: got %q, want %q", event, i, got, want[i])
		}
	}
}
