package config

import (
	"errors"
	"time"
)

// Recovery is how long clients that lose their connection are waited for.
type Recovery struct {
	RecoveryWindow time.Duration `default:"2m" help:"How long a client that lost its connection may be away and still get what it missed; 0 turns that off."`
	RecoveryMemory int           `default:"256" help:"Most MiB of events that are kept for that."`
}

func (r *Recovery) validate() error {
	switch {
	case r.RecoveryWindow < 0:
		return errors.New("--recovery-window must not be negative; 0 turns recovery off")
	case r.RecoveryMemory <= 0:
		return errors.New("--recovery-memory must be more than 0 MiB; to turn recovery off, give --recovery-window=0")
	}
	return nil
}
