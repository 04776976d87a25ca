package clienttest_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

type (
	object = map[string]any
	array  = []any
)

type payload struct {
	name string
	args array
}

var payloads = []payload{
	{"text", array{"hello"}},
	{"empty text", array{""}},
	{"text to escape", array{"\"quoted\" \\ \b\n\r\t\x00\x1e\x7f </script>"}},
	{"text that looks like a packet", array{"451-[\"x\",{\"_placeholder\":true,\"num\":0}]"}},
	{"unicode", array{"grüß Gott, 世界, שלום, 👩‍👩‍👧, e\u0301, \u2028\u2029, \U0010ffff"}},
	{"unicode as a key", array{object{"ключ": object{"🔑": "значение"}}}},
	{"no arguments", array{}},
	{"several arguments", array{"a", 1.5, true, nil, array{1.0, array{2.0}}, object{"k": array{object{}}}}},
	{"numbers", array{0.0, -1.0, 1e-7, 9007199254740991.0, 123456789012.5}},
	{hugeNumber, array{1e21}},
	{"binary", array{binary(1, 2, 3)}},
	{"empty binary", array{binary()}},
	{"every byte", array{everyByte()}},
	{"nested binary", array{
		object{"a": binary(1), "list": array{binary(2), "x", object{"deep": binary(3)}}}, "between", binary(4),
	}},
	{"binary twice", array{binary(7), binary(7)}},
}

// hugeNumber is a payload of which the clients' msgpack writes 64 bits.
const hugeNumber = "a number above 2^64"

// payloads are those that the row's client can send.
func (j *journey) payloads() []payload {
	return slices.DeleteFunc(slices.Clone(payloads), func(p payload) bool { return j.msgpack && p.name == hugeNumber })
}

func TestEventsArriveAsTheyWereSent(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		c := j.connect()
		for _, payload := range j.payloads() {
			j.Log(payload.name)
			c.Emit("echo", payload.args...)
			requireArgs(j.T, payload.args, c.Wait("echoed", 1)[0])
		}
	})
}

// A handler of the server reads this into a struct with byte slices at two depths and says what it found.
func TestBinaryDecodesIntoTypedArguments(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		parcel := object{"name": "Päckchen", "blob": everyByte(), "parts": array{
			object{"tag": "a", "data": binary(1, 2)}, object{"tag": "b", "data": binary()}, object{"tag": "c", "data": binary(255)},
		}}
		found := j.connect().EmitAck("describe", parcel)
		requireArgs(j.T, array{object{"name": "Päckchen", "tags": "abc", "bytes": 259, "sum": 255*256/2 + 3 + 255}}, found)
	})
}

func TestAcknowledgementsCarryTheirArguments(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		c := j.connect()
		for _, args := range []array{{"one"}, {}, {"two", 2.0}, {binary(1, 2), object{"b": array{binary(3)}}}} {
			requireArgs(j.T, args, c.EmitAck("mirror", args...))
		}
	})
}

func TestTheServerAsksAndTheClientAnswers(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		c := j.connect()
		c.AnswerEcho("question")
		for _, arg := range []any{"what?", object{"n": 1.0}, binary(0, 255)} {
			c.Emit("ask", arg)
			requireArgs(j.T, array{arg}, c.Wait("answered", 1)[0])
		}
	})
}

// 900 kB is below maxHttpBufferSize (1e6 bytes). Binary over polling is base64 and so a third larger.
func TestLargePayloads(t *testing.T) {
	eachWay(t, houseOptions{}, func(j *journey) {
		c := j.settled()
		text, size := 900_000, 900_000
		if c.Transport() == "polling" {
			size = 700_000
			if j.msgpack {
				text = size // is binary, too
			}
		}
		if testing.Short() { // the race detector is slow with bytes one by one
			text, size = text/4, size/4
		}
		for _, large := range []any{
			strings.Repeat("x", text),
			strings.Repeat("€", text/3),
			clienttest.Binary(bytes.Repeat([]byte{0, 1, 254, 255}, size/4)),
		} {
			c.Emit("echo", large)
			requireArgs(j.T, array{large}, c.Wait("echoed", 1)[0])
		}
	})
}

// The 10,000 messages begin while the upgrade is under way, where there is one.
func TestTenThousandMessagesKeepTheirOrder(t *testing.T) {
	const n = 10_000
	eachWay(t, houseOptions{}, func(j *journey) {
		c := j.connect()
		c.EmitSequence("seq", n)
		got := clienttest.Value[struct {
			Count   int
			InOrder bool
		}](j.T, c.EmitAck("seqEnd")[0])
		if got.Count != n || !got.InOrder {
			j.Fatalf("to the server: %+v, want %d in order", got, n)
		}

		c = j.connect()
		c.Emit("burst", n)
		for want, args := range c.Wait("tick", n) {
			if got := clienttest.Value[int](j.T, args[0]); got != want {
				j.Fatalf("to the client: message %d came in place %d", got, want)
			}
		}
	})
}

func binary(b ...byte) clienttest.Binary { return clienttest.Binary(b) }

func everyByte() clienttest.Binary {
	all := make(clienttest.Binary, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

// requireArgs compares as JSON values, so that the order of keys and the spelling of numbers do not matter.
func requireArgs(t *testing.T, want array, got []json.RawMessage) {
	t.Helper()
	raw, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var wanted array
	if err := json.Unmarshal(raw, &wanted); err != nil {
		t.Fatal(err)
	}
	received := make(array, len(got))
	for i := range got {
		received[i] = clienttest.Value[any](t, got[i])
	}
	if !reflect.DeepEqual(wanted, received) && len(wanted)+len(received) > 0 {
		t.Fatalf("got %.300s\nwant %.300s", got, raw)
	}
}
