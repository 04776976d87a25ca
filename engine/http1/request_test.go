package http1_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/http1"
)

func TestFieldLookup(t *testing.T) {
	var q http1.Request
	head := "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: a, b\r\nx-forwarded-FOR: c\r\nEmpty:\r\nTo\u007een: 1\r\n\r\n"
	if _, err := http1.ParseHead([]byte(head), 0, &q); err != nil {
		t.Fatal(err)
	}
	if got := string(q.Get("X-FORWARDED-for")); got != "a, b" {
		t.Errorf("first value %q", got)
	}
	if q.Get("Empty") == nil {
		t.Error("an empty value is reported as absent")
	}
	if q.Get("To^en") != nil || q.Get("Absent") != nil || q.Get("") != nil {
		t.Error("an absent field has a value")
	}
	var all []string
	for v := range q.Values("x-forwarded-for") {
		all = append(all, string(v))
	}
	if len(all) != 2 || all[0] != "a, b" || all[1] != "c" {
		t.Errorf("all values %q", all)
	}
	for v := range q.Values("x-forwarded-for") {
		if string(v) != "a, b" {
			t.Error("iteration goes on after break")
		}
		break
	}
}

func TestTokenLookup(t *testing.T) {
	tests := []struct {
		value, token string
		want         bool
	}{
		{"websocket", "websocket", true},
		{"h2c , WebSocket", "websocket", true},
		{"\t,,upgrade\t,", "Upgrade", true},
		{"websocket2", "websocket", false},
		{"web socket", "websocket", false},
		{"\"websocket\"", "websocket", false},
		{"websoc\xe2\x84\xaaet", "websocket", false}, // KELVIN SIGN folds to k in Unicode
		{"", "websocket", false},
	}
	for _, tt := range tests {
		q := http1.Request{Fields: []http1.Field{{Name: []byte("Other"), Value: []byte("websocket")}, {Name: []byte("UPGRADE"), Value: []byte(tt.value)}}}
		if got := q.HasToken("upgrade", tt.token); got != tt.want {
			t.Errorf("%q has %q: %t", tt.value, tt.token, got)
		}
	}
}
