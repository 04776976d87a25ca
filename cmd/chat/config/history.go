package config

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
)

// History is where the chat's messages are kept, and how many.
type History struct {
	History       string        `secret:"url" placeholder:"off|memory|FILE|postgres://…" help:"Where messages are kept: off, memory, a file, or the URL of a Postgres database. Default: history.db in $$STATE_DIRECTORY, else fanfare/history.db in $$XDG_DATA_HOME or ~/.local/share, else memory."`
	HistoryKeep   int           `default:"10000" help:"Messages that are kept of each room."`
	HistoryMaxAge time.Duration `help:"How old messages get, such as 720h; default: any age."`
	HistoryRooms  int           `default:"1000" help:"Rooms of which messages are kept; the one that was quiet for the longest time goes first."`
	HistoryQueue  int           `default:"65536" help:"Messages that may wait to be written; those beyond it are delivered, but not kept."`
}

func (h *History) validate() error {
	if err := history.Check(h.History); err != nil {
		return fmt.Errorf("--history: %w", err)
	}
	switch {
	case h.HistoryKeep < 1:
		return errors.New("--history-keep must be at least 1; --history=off keeps none")
	case h.HistoryRooms < 1:
		return errors.New("--history-rooms must be at least 1")
	case h.HistoryQueue < 1:
		return errors.New("--history-queue must be at least 1")
	case h.HistoryMaxAge < 0 || h.HistoryMaxAge > 0 && h.HistoryMaxAge < time.Second:
		return errors.New("--history-max-age must be at least 1s; leave it out for any age")
	}
	return nil
}

// Options are those of package history.
func (h *History) Options() history.Options {
	return history.Options{
		Store:  cmp.Or(h.History, history.DefaultStore()),
		Keep:   h.HistoryKeep,
		MaxAge: h.HistoryMaxAge,
		Rooms:  h.HistoryRooms,
		Queue:  h.HistoryQueue,
	}
}
