package main_test

import (
	"slices"
	"testing"
)

// A front end that wants to know writes socket.emit("chatMessage", text, callback).
func TestAMessageIsAcknowledgedBehindItsReplyWhereThatIsAskedFor(t *testing.T) {
	p := start(t, anywhere())
	s := dialWebSocket(t, p.url)
	s.emit("chatMessage", "never mind")
	s.send(`427["chatMessage","heard?"]`)
	want := []string{`42["reply","never mind"]`, `42["reply","heard?"]`, `437[]`}
	var got []string
	for _, packet := range want {
		got = append(got, s.receive(packet))
	}
	if !slices.Equal(got, want) {
		t.Errorf("received %q, want %q", got, want)
	}
}
