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
	pageTime     = 5 * time.Second        // that a store may take
	crowdedTime  = 250 * time.Millisecond // that it may take for those beyond Options.MaxAsking
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
	ctx, cancel := c.askingTime(ctx)
	defer cancel()
	limit := min(orElse(p.Limit, pageMessages), maxMessages)
	var found []history.Message
	if p.After != "" {
		found, lines.More, err = c.history.After(ctx, room, p.After, limit)
	} else {
		found, lines.More, err = c.history.Before(ctx, room, p.Before, limit)
	}
	if errors.Is(err, history.ErrID) {
		return Lines{}, refuse("before and after take the id of a message")
	}
	if err != nil {
		return Lines{}, errors.Join(refuse("the history is not available at the moment"), err)
	}
	lines.Messages = append(lines.Messages, found...)
	return lines, nil
}

// askingTime bounds the time of a page. The other workers are for those who do not wait for the store.
func (c *Conversation) askingTime(ctx context.Context) (context.Context, context.CancelFunc) {
	bound := pageTime
	if c.asking.Add(1) > int64(c.options.MaxAsking) {
		bound = crowdedTime
	}
	ctx, cancel := context.WithTimeout(ctx, bound)
	return ctx, func() { c.asking.Add(-1); cancel() }
}
