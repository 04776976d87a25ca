package main_test

import (
	"regexp"
	"testing"
)

// A front end that wants to know writes socket.emit("chatMessage", text, callback). docs/chat.md has the rest.
func TestAMessageIsAcknowledgedBehindItsReplyWhereThatIsAskedFor(t *testing.T) {
	p := start(t, anywhere("--recovery-window=0"))
	s := dialWebSocket(t, p.url)
	s.emit("chatMessage", "never mind")
	s.send(`427["chatMessage","heard?"]`)
	const id, at = `[0-9A-HJKMNP-TV-Z]{26}`, `20\d\d-\d\d-\d\dT[0-9:.]+Z`
	const meta = `\{"id":"` + id + `","at":"` + at + `","from":"[a-z0-9]{8}","name":"Guest-[a-z0-9]{4}"\}`
	for _, want := range []string{
		`42\["reply","never mind",` + meta + `\]`,
		`42\["reply","heard\?",` + meta + `\]`,
		`437\[\{"id":"` + id + `","at":"` + at + `","stored":true\}\]`,
	} {
		if got := s.receive(want); !regexp.MustCompile("^" + want + "$").MatchString(got) {
			t.Errorf("received %s, want %s", got, want)
		}
	}
}

// Clients that come back within the window are sent what they missed: the official client needs nothing for that but
// the offset behind each event.
func TestEventsCarryAnOffsetUnlessRecoveryIsOff(t *testing.T) {
	for _, one := range []struct {
		flags  []string
		offset bool
	}{{nil, true}, {[]string{"--recovery-window=0"}, false}} {
		p := start(t, anywhere(one.flags...))
		s := dialWebSocket(t, p.url)
		s.emit("chatMessage", "hello")
		packet := s.receive("hello")
		if got := regexp.MustCompile(`\},"[^"]+"\]$`).MatchString(packet); got != one.offset {
			t.Errorf("%q: received %s, want an offset: %v", one.flags, packet, one.offset)
		}
	}
}
