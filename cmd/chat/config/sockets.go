package config

import (
	"fmt"

	"github.com/fanfare-go/fanfare/cmd/chat/socketlog"
)

// Sockets is which of them are looked at closely.
type Sockets struct {
	LogSockets []string `placeholder:"ID" reload:"" help:"Log what these sockets do, whatever the log level: ids, or 1/N for one in N of those that connect. Names and sizes of events, not what is in them. At most 100 at a time."`
}

func (s *Sockets) validate() error {
	if _, _, err := socketlog.Parse(s.LogSockets); err != nil {
		return fmt.Errorf("--log-sockets: %w; give ids of sockets, or a sample such as 1/1000", err)
	}
	return nil
}
