package interop_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

var (
	four  = clienttest.Binary{1, 2, 3, 255}
	image = clienttest.Binary(bytes.Repeat([]byte{0, 128, 200, 13, 10}, 60_000)) // 300 kB
	long  = strings.Repeat("ä ", 100_000)
)

// payloads are about what is sent.
var payloads = []testCase{
	{group: "value", name: "numbers, strings, null, nested objects", run: news(order{Args: list(1, -1.5, 9007199254740991, 4294967296, -2147483649, true, nil, "käse 🧀 \u2028", map[string]any{"a": map[string]any{"b": list(1, []any{}, map[string]any{})}})}),
		want: "a1 a2 b1 b2: news 1 -1.5 9007199254740991 4294967296 -2147483649 true null \"käse 🧀 \\u2028\" {\"a\":{\"b\":[1,[],{}]}}"},
	{group: "value", name: "no arguments", run: func(s *scene) { s.act(order{Op: "emit", Event: "nothing"}) }, want: `a1 a2 b1 b2: nothing`},
	{group: "value", name: "an event's name beyond ASCII", run: func(s *scene) { s.act(order{Op: "emit", Event: "naïve 🎉", Args: list(1)}) }, want: `a1 a2 b1 b2: naïve 🎉 1`},
	{group: "value", name: "an object like a placeholder's name", run: news(order{Args: list(map[string]any{"num": 0, "_": true})}), want: `a1 a2 b1 b2: news {"_":true,"num":0}`},
	{group: "value", name: "binary", run: news(order{Args: list(four)}), want: `a1 a2 b1 b2: news {"$bin":"AQID/w=="}`},
	{group: "value", name: "binary to a room", run: news(order{Rooms: list("blue"), Args: list("x", four)}), want: `a2 b2: news "x" {"$bin":"AQID/w=="}`},
	{group: "value", name: "nested binary", run: news(order{Args: list(map[string]any{"a": list(four, map[string]any{"b": clienttest.Binary{}}), "z": four}, four, 5)}),
		want: `a1 a2 b1 b2: news {"a":[{"$bin":"AQID/w=="},{"b":{"$bin":""}}],"z":{"$bin":"AQID/w=="}} {"$bin":"AQID/w=="} 5`},
	{group: "value", name: "a date", run: news(order{Args: list(date{1700000000123})}), want: `a1 a2 b1 b2: news "2023-11-14T22:13:20.123Z"`},
	{group: "value", name: "a date beside binary", run: news(order{Args: list(map[string]any{"at": date{1700000000123}, "b": four})}), want: `a1 a2 b1 b2: news {"at":"2023-11-14T22:13:20.123Z","b":{"$bin":"AQID/w=="}}`},
	{group: "value", name: "200 kB of text, 300 kB of binary", run: func(s *scene) {
		s.act(order{Op: "emit", Event: "large", Rooms: list("blue"), Args: list(long, image)})
		for _, name := range []string{"a2", "b2"} {
			got := s.client(name).Wait("large", 1)[0]
			if clienttest.Value[string](s, got[0]) != long || !bytes.Equal(clienttest.Value[clienttest.Binary](s, got[1]), image) {
				s.Errorf("%s got something else", name)
			}
		}
	}, want: ``},
}

// rooms are about their names.
var rooms = []testCase{
	{group: "room", name: "räum#*[x]?", run: named("räum#*[x]?"), want: `a1 b1: news "hi"`},
	{group: "room", name: "with spaces, quotes and line feeds", run: named("a \"b\"\n' c"), want: `a1 b1: news "hi"`},
	{group: "room", name: "as long as a socket's id", run: named("exactly20characters!"), want: `a1 b1: news "hi"`},
	{group: "room", name: "with a # at the end", run: named("end#"), want: `a1 b1: news "hi"`},
	{group: "room", name: "of digits", run: named("123"), want: `a1 b1: news "hi"`},
	{group: "room", name: "that is a number in Node", run: numeric, want: `a1 b1: news "hi"`},
}

// named sends to a room of this name that the first clients are in.
func named(room any) func(s *scene) {
	return func(s *scene) {
		for _, m := range s.members {
			s.f.enter(s.T, m, 1, room)
		}
		s.f.subscribed(s.T, "/", fmt.Sprint(room), len(s.members))
		news(order{Rooms: list(room)})(s)
		for _, name := range []string{"a1", "b1"} {
			s.client(name).Wait("news", 1)
		}
		news(order{Rooms: list(room)})(s)
		s.transient = append(s.transient, room)
	}
}

// numeric uses a number for a room, where a server of Node's sends: there it is another room than the one of its digits.
// Fanfare knows only the latter, and sends that.
func numeric(s *scene) {
	var room any = 456
	if _, ok := s.a().server.(*goServer); ok {
		room = "456"
	}
	named(room)(s)
}
