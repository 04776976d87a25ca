package api

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Bounds of a message that is written here, as of one that a client writes.
const (
	maxName = 64   // of its sender, in characters
	maxUser = 256  // likewise, in bytes
	maxText = 4000 // in characters

	maxMessages = 200 // of one page of the history, which gives no more
)

// messageRequest is a message of the chat from somebody who is no client.
type messageRequest struct {
	Room string `json:"room"`
	User string `json:"user"`
	Name string `json:"name"`
	Text string `json:"text"`
}

type messageAnswer struct {
	Message history.Message `json:"message"`
	Stored  bool            `json:"stored"` // it will be in the history, whatever happens
}

func publish(c *call, q *messageRequest) (a messageAnswer, err error) {
	chat := c.server.options.Chat
	if chat == nil {
		return a, errNoChat
	}
	switch {
	case strings.TrimSpace(q.Text) == "":
		return a, Invalid("text: missing")
	case utf8.RuneCountInString(q.Text) > maxText:
		return a, Invalid("text: the most are %d characters", maxText)
	case strings.TrimSpace(q.Name) == "" || utf8.RuneCountInString(q.Name) > maxName:
		return a, Invalid("name: want 1 to %d characters", maxName)
	case len(q.User) > maxUser:
		return a, Invalid("user: the most are %d bytes", maxUser)
	case len(q.Room) > socketio.MaxRoomName:
		return a, Invalid("room: a room's name has 1 to %d bytes", socketio.MaxRoomName)
	}
	a.Message, a.Stored, err = chat.Publish(c.ctx, history.Message{Room: q.Room, User: q.User, Name: q.Name, Text: q.Text})
	return a, err
}

// historyRequest asks what was said.
type historyRequest struct {
	Room   string `json:"room"`
	Before string `json:"before"`
	After  string `json:"after"`
	Limit  int    `json:"limit"`
}

type historyAnswer struct {
	Messages []history.Message `json:"messages"` // oldest first
	More     bool              `json:"more"`     // there are more, in the direction that was asked for
	State    string            `json:"state"`    // of the history: off, healthy or degraded
}

func past(c *call, q *historyRequest) (a historyAnswer, err error) {
	chat := c.server.options.Chat
	if chat == nil {
		return a, errNoChat
	}
	if q.Before != "" && q.After != "" {
		return a, Invalid("before and after: give one of them")
	}
	limit := cmp.Or(q.Limit, standardPage)
	if limit < 1 || limit > maxMessages {
		return a, Invalid("limit: want 1 to %d", maxMessages)
	}
	if q.After != "" {
		a.Messages, a.More, err = chat.After(c.ctx, q.Room, q.After, limit)
	} else {
		a.Messages, a.More, err = chat.Before(c.ctx, q.Room, q.Before, limit)
	}
	if a.Messages == nil {
		a.Messages = []history.Message{}
	}
	a.State = chat.State()
	return a, err
}
