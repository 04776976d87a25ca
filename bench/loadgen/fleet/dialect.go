package fleet

import "fmt"

// dialect is what a server speaks inside WebSocket messages. The slices that read
// returns lie inside its argument.
type dialect interface {
	// path is the request target of the upgrade.
	path() string
	// greet takes the messages of a connection that has not joined: step counts
	// them as the dialect likes, from 0 with no message when the upgrade is done.
	// What it returns is sent, unless empty; joined ends it.
	greet(step uint8, message []byte) (send string, next uint8, err error)
	// read takes the first piece off the message of one that has joined.
	read(message []byte) (k kind, text, rest []byte)
	// pong is the answer to a piece of the kind heartbeat.
	pong() string
	// appendBroadcast appends a message that makes the server send text to all.
	appendBroadcast(dst []byte, id uint32, text []byte) []byte
	// appendEcho appends one that makes it send text back.
	appendEcho(dst []byte, id uint32, text []byte) []byte
}

// joined is the step of a connection that takes part.
const joined = 255

// kind is what a piece of a message is.
type kind uint8

const (
	other     kind = iota // an answer that nobody waits for
	broadcast             // a text that all receive
	echo                  // a text that came back
	heartbeat             // to be answered by pong
	farewell              // the server ends it
)

// newDialect returns the dialect of that name.
func newDialect(name string) (dialect, error) {
	switch name {
	case "socketio":
		return socketIO{}, nil
	case "raw":
		return raw{}, nil
	case "centrifuge":
		return centrifuge{}, nil
	}
	return nil, fmt.Errorf("no dialect %q", name)
}
