package history

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Message is what somebody said. Its JSON is what clients receive.
type Message struct {
	ID   string    `json:"id"`             // sorts as the messages came; unique
	Room string    `json:"room,omitempty"` // empty is where everybody is
	User string    `json:"user,omitempty"` // who is logged in; empty for guests
	Name string    `json:"name,omitempty"`
	Text string    `json:"text"`
	At   time.Time `json:"at"` // to the millisecond, UTC; it is part of the ID
}

// size is what a message takes in a queue, in bytes; 160 is the struct and its ID.
func (m *Message) size() int { return 160 + len(m.Room) + len(m.User) + len(m.Name) + len(m.Text) }

// clean makes the message one that every store takes.
func (m *Message) clean() {
	m.Room, m.User, m.Name, m.Text = clean(m.Room), clean(m.User), clean(m.Name), clean(m.Text)
}

func clean(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}
