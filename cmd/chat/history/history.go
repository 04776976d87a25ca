// Package history keeps what was said: messages in their order, by room.
package history

import "time"

// Message is what somebody said. Its JSON is what clients receive.
type Message struct {
	ID   string    `json:"id"`             // sorts as the messages came; unique
	Room string    `json:"room,omitempty"` // empty is where everybody is
	User string    `json:"user,omitempty"` // who is logged in; empty for guests
	Name string    `json:"name,omitempty"`
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}
