package clienttest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// What is different for clients of Socket.IO 2. All else they do in the other tests, as one of the versions.

// eachWayOfV2 is eachWay for that version alone.
func eachWayOfV2(t *testing.T, options houseOptions, scenario func(j *journey)) {
	t.Helper()
	driver := clienttest.Start(t)
	everyTransport(t, driver, openHouse(t, options), clienttest.V25, clienttest.V25, scenario)
}

func TestSocketIO2IsLetInIfAllowed(t *testing.T) {
	eachWayOfV2(t, houseOptions{onlyEIO4: true}, func(j *journey) {
		_, refusal := j.driver.TryConnect(j.T, j.options())
		if refusal == nil {
			j.Fatal("let in")
		}
		options := j.options()
		options.Version = clienttest.V48
		j.driver.Connect(j.T, options)
	})
}

func TestOneBroadcastReachesAllVersions(t *testing.T) {
	driver := clienttest.Start(t)
	house := openHouse(t, houseOptions{})
	audience := map[string]*clienttest.Client{}
	for _, version := range clienttest.Versions {
		for _, transport := range transports {
			j := &journey{T: t, house: house, driver: driver, way: way{version: version, transports: transport.names}}
			audience[version+"/"+transport.name] = j.settled()
		}
	}
	parcel := func() array {
		return array{"grüß 😀 世界", object{"blob": everyByte(), "list": array{binary(), "x", binary(4)}}, binary(0, 255)}
	}
	mixed := []any{"grüß 😀 世界",
		object{"blob": []byte(everyByte()), "list": array{[]byte{}, "x", []byte{4}}}, socketio.Binary{0, 255}}
	for range 3 {
		if err := house.server.Emit("mixed", mixed...); err != nil {
			t.Fatal(err)
		}
		if err := house.server.Emit("plain", "𝒳", 1.5); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range audience {
		t.Log(name)
		for _, args := range c.Wait("mixed", 3) {
			requireArgs(t, parcel(), args)
		}
		for _, args := range c.Wait("plain", 3) {
			requireArgs(t, array{"𝒳", 1.5}, args)
		}
	}
}

func TestOneQuestionIsAnsweredByAllVersions(t *testing.T) {
	driver := clienttest.Start(t)
	house := openHouse(t, houseOptions{})
	ids := map[string]string{}
	for _, version := range clienttest.Versions {
		for _, transport := range transports {
			j := &journey{T: t, house: house, driver: driver, way: way{version: version, transports: transport.names}}
			c := j.settled()
			c.AnswerEcho("question")
			ids[c.ID()] = version + "/" + transport.name
		}
	}
	answers, err := house.server.EmitWithAck(t.Context(), "question", []byte{1, 2, 255})
	if err != nil || len(answers) != len(ids) {
		t.Fatalf("%d answers of %d, %v", len(answers), len(ids), err)
	}
	for _, a := range answers {
		var got []byte
		if err := a.Value.Decode(&got); err != nil || !bytes.Equal(got, []byte{1, 2, 255}) {
			t.Errorf("%s: %v, %v", ids[a.SocketID], got, err)
		}
	}
	sockets, err := house.server.FetchSockets(t.Context())
	if err != nil || len(sockets) != len(ids) {
		t.Fatalf("%d sockets of %d, %v", len(sockets), len(ids), err)
	}
	for _, s := range sockets {
		if ids[s.ID()] == "" {
			t.Errorf("%s is nobody's id", s.ID())
		}
	}
}

func TestSocketIO2IDsAreTheClients(t *testing.T) {
	eachWayOfV2(t, houseOptions{}, func(j *journey) {
		main, other := j.settled(), j.settled()
		admin, refusal := main.Of("/admin", object{"token": "good"})
		if refusal != nil {
			j.Fatal(refusal)
		}
		if id, session := main.ID(), main.State().Engine; id != session || admin.ID() != "/admin#"+session {
			j.Fatalf("ids %q and %q of session %q", id, admin.ID(), session)
		}
		for nsp, id := range map[string]string{"/": main.ID(), "/admin": admin.ID()} {
			if err := j.house.server.Of(nsp).To(id).Emit("direct", nsp); err != nil {
				j.Fatal(err)
			}
			if err := j.house.server.Of(nsp).Except(id).Emit("others", nsp); err != nil {
				j.Fatal(err)
			}
		}
		requireTexts(j.T, main, "direct", "/")
		requireTexts(j.T, admin, "direct", "/admin")
		requireTexts(j.T, other, "others", "/")
		fence(main, admin, other)
		if n := main.Count("others") + admin.Count("others") + other.Count("direct"); n != 0 {
			j.Errorf("%d messages for somebody else", n)
		}
	})
}

// A middleware of the default namespace decides on a client that never asked to join it. What it says reaches the
// client's "error" listeners as a bare value, and the connection serves other namespaces.
func TestSocketIO2IsRefusedByTheDefaultNamespace(t *testing.T) {
	eachWayOfV2(t, houseOptions{}, func(j *journey) {
		house := openHouse(j.T, houseOptions{})
		house.server.Use(func(_ context.Context, s *socketio.Socket) error {
			if s.Handshake().Query.Get("key") != "right" {
				return fmt.Errorf("the key is %q", s.Handshake().Query.Get("key"))
			}
			return nil
		})
		options := j.options()
		options.URL, options.Query = house.url, map[string]string{"key": "wrong"}
		c, refusal := j.driver.TryConnect(j.T, options)
		if refusal == nil || refusal.Message != `the key is "wrong"` {
			j.Fatalf("refusal %v", refusal)
		}
		admin, refusal := c.Of("/admin", object{"token": "good"})
		if refusal != nil {
			j.Fatal(refusal)
		}
		requireArgs(j.T, array{"in"}, admin.EmitAck("mirror", "in"))

		options.Query["key"] = "right"
		requireArgs(j.T, array{"in"}, j.driver.Connect(j.T, options).EmitAck("mirror", "in"))
	})
}

func TestSocketIO2HeartbeatsAreAnswered(t *testing.T) {
	eachWayOfV2(t, houseOptions{pingInterval: 50 * time.Millisecond, pingTimeout: 20 * time.Second}, func(j *journey) {
		j.settled().Wait("$pong", 5)
	})
}

// JSON.stringify escapes half a surrogate pair, which is no UTF-8. What is passed on as it came arrives as it was sent.
func TestSocketIO2HalvesOfSurrogatePairs(t *testing.T) {
	const halves = `"\ud83d and \ude00"`
	eachWayOfV2(t, houseOptions{}, func(j *journey) {
		got := j.connect().EmitAck("mirror", json.RawMessage(halves), "and a pair: 😀")
		if string(got[0]) != halves {
			j.Errorf("got %s, want %s", got[0], halves)
		}
		if pair := clienttest.Value[string](j.T, got[1]); pair != "and a pair: 😀" {
			j.Errorf("got %q", pair)
		}
	})
}

// In a browser the client polls for payloads in bytes, which it cannot do under Node.
func TestSocketIO2InABrowser(t *testing.T) {
	browser := clienttest.OpenBrowser(t)
	house := openHouse(t, houseOptions{handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<script src="https://cdn.socket.io/2.5.0/socket.io.js"></script>`)
	})})
	page := browser.Open(house.url, clienttest.PageOptions{})
	for _, transport := range transports {
		for _, base64 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/base64 %v", transport.name, base64), func(t *testing.T) {
				names, err := json.Marshal(transport.names)
				if err != nil {
					t.Fatal(err)
				}
				got := page.Evaluate(fmt.Sprintf(`new Promise((resolve, reject) => {
					const socket = io({ forceNew: true, forceBase64: %v, transports: %s });
					const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
					socket.on("error", reject).on("connect_error", reject).on("connect", () => {
						socket.emit("mirror", "😀 € \ud83d", bytes.buffer, { a: [bytes.buffer] }, (text, one, { a: [two] }) => {
							const same = [one, two].map((b) => b instanceof ArrayBuffer && new Uint8Array(b).join() === bytes.join());
							socket.close();
							resolve([text === "😀 € \ud83d", ...same]);
						});
					});
				})`, base64, names))
				if string(got) != `[true,true,true]` {
					t.Errorf("text, buffer, buffer inside of a value: %s", got)
				}
			})
		}
	}
	if n := house.server.Stats().Violations; n != 0 {
		t.Errorf("%d violations", n)
	}
	if faults := page.Faults(); len(faults) > 0 {
		t.Error(faults)
	}
}
