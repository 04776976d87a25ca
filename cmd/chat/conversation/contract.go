package conversation

import (
	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// What clients emit. Each is acknowledged where that is asked for; a [Refusal] instead where it cannot be done.
const (
	// ChatMessage: a text for everybody, or {text, room}. Its acknowledgement comes after its reply was broadcast and,
	// where history is healthy, after it is durable.
	ChatMessage socketio.Call[socketio.Raw, Sent] = "chatMessage"
	// Join a room, by its name.
	Join socketio.Call[string, People] = "join"
	// Leave a room.
	Leave socketio.Call[string, Left] = "leave"
	// SetName chooses a name.
	SetName socketio.Call[string, Person] = "setName"
	// StartTyping says that the sender is writing, or has stopped: {room?, typing}.
	StartTyping socketio.Call[Typing, struct{}] = "typing"
	// Who is in a room, or in the lobby, whose presence is told to the sender from then on.
	Who socketio.Call[string, People] = "who"
	// History returns what was said before or after a message: {room?, before?, after?, limit?}.
	History socketio.Call[Page, Lines] = "history"
)

// What clients are sent.
const (
	// Reply is what somebody wrote, and who and when: to everybody, or to a room's members.
	Reply socketio.Event[Line] = "reply"
	// SomebodyTypes goes to the others in the room.
	SomebodyTypes socketio.Event[Typing] = "typing"
	// Presence says who is in a room, at most once a second: to the room's members, and the lobby's to those who asked.
	Presence socketio.Event[People] = "presence"
)

// Bounds of what clients may say.
const (
	MaxNameRunes = 32  // of a person
	MaxRoomRunes = 64  // of a room's name
	MaxNames     = 100 // told by presence
	OwnRooms     = 1   // of a socket that nobody asked for: that of who looks at the lobby
)

// Sent acknowledges a message.
type Sent struct {
	ID     string `json:"id"`
	At     string `json:"at"`     // RFC 3339, UTC
	Stored bool   `json:"stored"` // it is in the history, durably
}

// Left acknowledges that a room was left.
type Left struct {
	Room string `json:"room"`
}

// Person is somebody at the other end of a socket.
type Person struct {
	ID   string `json:"id"` // of this connection: tells two of the same name from each other
	Name string `json:"name"`
}

// People is who is in a room. Names and IDs are of the same length and order.
type People struct {
	Room  string   `json:"room,omitempty"` // empty for the lobby
	Count int      `json:"count"`
	Names []string `json:"names"`         // MaxNames at most
	IDs   []string `json:"ids"`           // see Person
	You   *Person  `json:"you,omitempty"` // in acknowledgements
}

// Typing says that somebody is writing: the name and id are the server's.
type Typing struct {
	Room   string `json:"room,omitempty"`
	Name   string `json:"name,omitempty"`
	ID     string `json:"id,omitempty"`
	Typing bool   `json:"typing"`
}

// Line is what a reply carries: the text, and what is known of it as JSON.
type Line struct {
	socketio.Tuple
	Text string
	Meta socketio.Raw // {id, at, room?, from?, user?, name?}
}

// Page asks for a part of a history: the latest, or those next to a message.
type Page struct {
	Room   string `json:"room"`
	Before string `json:"before"` // the id of a message
	After  string `json:"after"`  // likewise
	Limit  int    `json:"limit"`  // default 50, 200 at most
}

// Lines is a part of a history, oldest first.
type Lines struct {
	Messages []history.Message `json:"messages"`
	More     bool              `json:"more"`  // there are others in the direction that was asked for
	State    string            `json:"state"` // of the history: healthy, degraded or off
}

// Refusal is what is acknowledged in place of anything else. It is an error of handlers.
type Refusal struct {
	Words string `json:"error"`
}

// Error implements error.
func (r *Refusal) Error() string { return r.Words }

func refuse(words string) error { return &Refusal{words} }
