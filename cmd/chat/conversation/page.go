package conversation

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Bounds of a page of history.
const (
	pageMessages = 50
	maxMessages  = 200
	pageTime     = 5 * time.Second // that a store may take
)

// page is the handler of History.
func (c *Conversation) page(ctx context.Context, s *socketio.Socket, p Page) (Lines, error) {
	room, err := c.member(s, strings.TrimSpace(p.Room))
	switch {
	case err != nil:
		return Lines{}, err
	case p.Before != "" && p.After != "":
		return Lines{}, refuse("before or after: not both")
	case p.Limit < 0:
		return Lines{}, refuse("the limit must not be negative")
	}
	lines := Lines{Messages: []history.Message{}, State: c.history.State().String()}
	if c.history.State() == history.Off {
		return lines, nil
	}
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	limit := min(orElse(p.Limit, pageMessages), maxMessages)
	var found []history.Message
	if p.After != "" {
		found, lines.More, err = c.history.After(ctx, room, p.After, limit)
	} else {
		found, lines.More, err = c.history.Before(ctx, room, p.Before, limit)
	}
	if err != nil {
		return Lines{}, errors.Join(refuse("the history is not available at the moment"), err)
	}
	lines.Messages = append(lines.Messages, found...)
	return lines, nil
}
