package clienttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// The clients under Node offer permessage-deflate by themselves, and compress what is
// longer than 1,024 bytes.
func TestCompressedEventsArriveAsTheyWereSent(t *testing.T) {
	eachWay(t, houseOptions{compressed: true}, func(j *journey) {
		before := j.house.server.Stats().Engine
		c := j.settled()
		long := strings.Repeat("grüß Gott, 世界; ", 1000)
		noise := make(clienttest.Binary, 5000)
		for i, x := 0, uint32(1); i < len(noise); i++ {
			x = x*1664525 + 1013904223
			noise[i] = byte(x >> 24)
		}
		large := 900_000
		if j.msgpack {
			large = 700_000 // over polling it is base64
		}
		for _, payload := range append(j.payloads(),
			payload{"long", array{long}},
			payload{"long binary", array{object{"a": binary([]byte(long)...), "b": noise}, long}},
			payload{"large", array{strings.Repeat("x", large)}},
		) {
			if j.msgpack && payload.name == hugeNumber {
				continue
			}
			j.Log(payload.name)
			c.Emit("echo", payload.args...)
			requireArgs(j.T, payload.args, c.Wait("echoed", 1)[0])
		}
		others := j.settled()
		c.Emit("shout", long)
		requireTexts(j.T, c, "reply", long)
		requireTexts(j.T, others, "reply", long)

		after := j.house.server.Stats().Engine
		deflated, inflated := after.Deflated-before.Deflated, after.Inflated-before.Inflated
		switch c.Transport() {
		case "websocket": // four long events, in six messages (noise is tried, in vain); msgpack needs one for each
			want := uint64(6)
			if j.msgpack {
				want = 4
			}
			if deflated != want || inflated < want-1 {
				j.Errorf("%d messages compressed, %d decompressed", deflated, inflated)
			}
		default:
			if deflated != 0 || inflated != 0 {
				j.Errorf("%d messages compressed, %d decompressed over polling", deflated, inflated)
			}
		}
	})
}

func emptyPage(w http.ResponseWriter, _ *http.Request) {
	_, _ = fmt.Fprint(w, `<!doctype html><script src="https://cdn.socket.io/4.8.1/socket.io.min.js"></script>`)
}

// Chromium compresses both ways: permessage-deflate, and gzip for polling.
func TestCompressionInChromium(t *testing.T) {
	browser := clienttest.OpenBrowser(t)
	house := openHouse(t, houseOptions{compressed: true})
	page := browser.Open(house.url, clienttest.PageOptions{})
	for _, transport := range transports {
		t.Run(transport.name, func(t *testing.T) {
			names, _ := json.Marshal(transport.names)
			before := house.server.Stats().Engine
			raw := page.Evaluate(fmt.Sprintf(`(async () => {
				const socket = io({ transports: %s, forceNew: true, reconnection: false });
				await new Promise((done, fail) => { socket.on("connect", done); socket.on("connect_error", fail); });
				const engine = socket.io.engine;
				if (%d > 1 && engine.transport.name === "polling") await new Promise((done) => engine.once("upgrade", done));
				const long = "grüß Gott, 世界; ".repeat(1000), bytes = new Uint8Array(5000).fill(7);
				const mirror = (...args) => new Promise((done) => socket.emit("mirror", ...args, done));
				const text = await mirror(long), binary = await mirror(bytes), name = engine.transport.name;
				socket.disconnect();
				return { same: text === long, bytes: binary.byteLength, seven: new Uint8Array(binary)[4999], name };
			})()`, names, len(transport.names)))
			got := clienttest.Value[struct {
				Same         bool
				Bytes, Seven int
				Name         string
			}](t, raw)
			if !got.Same || got.Bytes != 5000 || got.Seven != 7 || got.Name != transport.names[len(transport.names)-1] {
				t.Errorf("%+v", got)
			}
			after := house.server.Stats().Engine
			deflated, inflated, encoded := after.Deflated-before.Deflated, after.Inflated-before.Inflated, after.Encoded-before.Encoded
			if transport.name == "polling" && (encoded == 0 || deflated+inflated != 0) || transport.name != "polling" && (deflated < 2 || inflated < 2) {
				t.Errorf("%d messages compressed, %d decompressed, %d answers compressed", deflated, inflated, encoded)
			}
		})
	}
	if faults := page.Faults(); len(faults) > 0 {
		t.Errorf("the page reports %q", faults)
	}
}
