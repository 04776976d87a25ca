package main

import (
	"context"
	"errors"
	"net/http"

	"github.com/fanfare-go/fanfare/cmd/chat/api"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
)

// apiChat is the messages of the chat for the publishing API.
type apiChat struct {
	history *history.History
	say     func(history.Message) (history.Message, *history.Receipt, error) // sends a message and has it stored
}

// Publish implements api.Chat: it is over when the message is durable, or will not be. One
// that is stored was not in vain, though nobody received it as the server is stopping.
func (c *apiChat) Publish(ctx context.Context, m history.Message) (sent history.Message, stored bool, err error) {
	sent, receipt, err := c.say(m)
	if stored = receipt.Wait(ctx) == nil; stored {
		return sent, true, nil
	}
	return sent, false, err
}

// Before implements api.Chat.
func (c *apiChat) Before(ctx context.Context, room, before string, limit int) ([]history.Message, bool, error) {
	messages, more, err := c.history.Before(ctx, room, before, limit)
	return messages, more, historyProblem("before", err)
}

// After implements api.Chat.
func (c *apiChat) After(ctx context.Context, room, after string, limit int) ([]history.Message, bool, error) {
	messages, more, err := c.history.After(ctx, room, after, limit)
	return messages, more, historyProblem("after", err)
}

// State implements api.Chat.
func (c *apiChat) State() string { return c.history.State().String() }

// historyProblem is what a client is told of a history that cannot be read: not the
// store's words. Without a history there is nothing in it.
func historyProblem(parameter string, err error) error {
	switch {
	case err == nil, errors.Is(err, history.ErrOff):
		return nil
	case errors.Is(err, history.ErrID):
		return api.Invalid("%s: not the id of a message", parameter)
	}
	return errors.Join(&api.Problem{Status: http.StatusServiceUnavailable, Code: "history_unavailable", Message: "the history cannot be read at the moment: try again"}, err)
}
