package clienttest_test

import (
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// The clients under Node offer permessage-deflate by themselves, and compress what is
// longer than 1,024 bytes.
func TestCompressedEventsArriveAsTheyWereSent(t *testing.T) {
	eachWay(t, houseOptions{door: compressedDoor}, func(j *journey) {
		before := j.house.server.Stats().Engine
		c := j.settled()
		long := strings.Repeat("grüß Gott, 世界; ", 1000)
		noise := make(clienttest.Binary, 5000)
		for i, x := 0, uint32(1); i < len(noise); i++ {
			x = x*1664525 + 1013904223
			noise[i] = byte(x >> 24)
		}
		for _, payload := range append(j.payloads(), []payload{
			{"long", array{long}},
			{"long binary", array{object{"a": binary([]byte(long)...), "b": noise}, long}},
			{"large", array{strings.Repeat("x", 900_000)}},
		}...) {
			if j.msgpack && payload.name == "large" && j.last() == "polling" {
				continue // too large in base64
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
		case "websocket": // six long messages in four events; noise is tried, in vain
			want := uint64(6)
			if j.msgpack { // an event is one message
				want = 4
			}
			if deflated != want || inflated < 4 {
				j.Errorf("%d messages compressed, %d decompressed", deflated, inflated)
			}
		default:
			if deflated != 0 || inflated != 0 {
				j.Errorf("%d messages compressed, %d decompressed over polling", deflated, inflated)
			}
		}
	})
}
