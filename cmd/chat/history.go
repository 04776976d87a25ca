package main

import (
	"context"
	"log/slog"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
)

// openHistory opens the store of messages. Where it cannot be had the server serves
// all the same, and the log has said why.
func openHistory(ctx context.Context, c *config.Config, log *slog.Logger) (*history.History, error) {
	o := c.History.Options()
	o.Logger = log
	h, err := history.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	if o.Store == history.StoreMemory && c.History.History == "" {
		log.Warn("messages are kept in memory until the program ends: there is no home directory; name a file with --history or FANFARE_HISTORY")
	} else if h.State() != history.Degraded {
		log.Info("history", "store", o.Where(), "state", h.State())
	}
	return h, nil
}

// closeHistory is for what went wrong before anybody spoke; life closes it otherwise.
func (p *parts) closeHistory(o *orders) {
	ctx, cancel := o.within(0)
	defer cancel()
	_ = p.history.Close(ctx) // whatever there was to say has been said
}
