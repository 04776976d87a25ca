package fleet

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestTextsCarryTheirNumberAndTime(t *testing.T) {
	const size = 40
	texts := newTexts(size)
	due := 23456 * time.Hour
	b := texts.append(nil, 7654321, due)
	number, got, err := texts.parse(b)
	if err != nil || number != 7654321 || got != due || len(b) != size {
		t.Fatal(number, got, err, len(b))
	}
	for i := range b {
		wrong := bytes.Clone(b)
		wrong[i] = '!'
		if _, _, err := texts.parse(wrong); err == nil {
			t.Errorf("byte %d changed, and nobody saw it", i)
		}
		if _, _, err := texts.parse(b[:i]); err == nil {
			t.Errorf("cut after %d bytes, and nobody saw it", i)
		}
	}
	if _, _, err := texts.parse(append(b, 'x')); err == nil {
		t.Error("longer, and nobody saw it")
	}
}

func TestDialectsReadWhatServersSend(t *testing.T) {
	type piece struct {
		k    kind
		text string
	}
	for _, c := range []struct {
		d       dialect
		message string
		want    []piece
	}{
		{socketIO{}, `42["reply","abc"]`, []piece{{broadcast, "abc"}}},
		{socketIO{}, `42["reply","abc",{"id":"1","name":"x"},"offset"]`, []piece{{broadcast, "abc"}}},
		{socketIO{}, `42["presence",{"count":1}]`, []piece{{other, ""}}},
		{socketIO{}, `43["abc"]`, []piece{{echo, "abc"}}},
		{socketIO{}, `431207["abc"]`, []piece{{echo, "abc"}}},
		{socketIO{}, `42["other","abc"]`, []piece{{other, ""}}},
		{socketIO{}, `43[1]`, []piece{{other, ""}}},
		{socketIO{}, "2", []piece{{heartbeat, ""}}},
		{socketIO{}, "1", []piece{{farewell, ""}}},
		{socketIO{}, "41", []piece{{farewell, ""}}},
		{raw{}, `42["reply","abc"]`, []piece{{broadcast, "abc"}}},
		{raw{}, `4312["abc"]`, []piece{{echo, "abc"}}},
		{raw{}, "hello", []piece{{other, ""}}},
		{centrifuge{}, `{"push":{"channel":"chat","pub":{"data":"abc"}}}`, []piece{{broadcast, "abc"}}},
		{centrifuge{}, `{"push":{"channel":"chat","pub":{"data":"abc","info":{"client":"x"}}}}`, []piece{{broadcast, "abc"}}},
		{centrifuge{}, `{"id":12,"rpc":{"data":"abc"}}`, []piece{{echo, "abc"}}},
		{centrifuge{}, `{"id":12,"publish":{}}`, []piece{{other, ""}}},
		{centrifuge{}, "{}", []piece{{heartbeat, ""}}},
		{centrifuge{}, `{"push":{"disconnect":{"code":3000}}}`, []piece{{farewell, ""}}},
		{
			centrifuge{}, "{\"id\":12,\"publish\":{}}\n{}\n{\"push\":{\"channel\":\"chat\",\"pub\":{\"data\":\"abc\"}}}\n",
			[]piece{{other, ""}, {heartbeat, ""}, {broadcast, "abc"}},
		},
	} {
		var got []piece
		for m := []byte(c.message); len(m) > 0; {
			k, text, rest := c.d.read(m)
			got, m = append(got, piece{k, string(text)}), rest
		}
		if len(got) != len(c.want) {
			t.Fatalf("%T %q: %v", c.d, c.message, got)
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%T %q: %v, want %v", c.d, c.message, got[i], c.want[i])
			}
		}
	}
}

func TestDialectsRefuseStrangersInTheHandshake(t *testing.T) {
	for _, d := range []dialect{socketIO{}, centrifuge{}} {
		_, step, err := d.greet(0, nil)
		if err != nil || step == joined {
			t.Fatalf("%T: %d %v", d, step, err)
		}
		if _, _, err := d.greet(step, []byte(`44{"message":"no"}`)); err == nil || !strings.Contains(err.Error(), "no") {
			t.Errorf("%T: %v", d, err)
		}
	}
}

func TestRawBroadcastsAreAsLongAsSocketIOs(t *testing.T) {
	text := []byte("0123456789")
	sent := raw{}.appendBroadcast(nil, 1, text)
	if sent[0] != 'b' || string(sent[1:]) != `42["reply","0123456789"]` {
		t.Fatalf("%q", sent)
	}
	if sent := (raw{}).appendEcho(nil, 17, text); string(sent) != `e4317["0123456789"]` {
		t.Fatalf("%q", sent)
	}
}
