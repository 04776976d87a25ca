package main

import (
	"context"

	"github.com/fanfare-go/fanfare/cmd/chat/api"
	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
)

// published is the chat as the publishing API sees it.
type published struct {
	chat *conversation.Conversation
	*history.History
}

var _ api.Chat = published{}

// Publish implements api.Chat. It waits until the message is durable, where there is a history.
func (p published) Publish(ctx context.Context, m history.Message) (sent history.Message, stored bool, err error) {
	sent, receipt, err := p.chat.Publish(m)
	if err != nil {
		return sent, false, err
	}
	return sent, receipt.Wait(ctx) == nil, nil
}

// State implements api.Chat.
func (p published) State() string { return p.History.State().String() }
