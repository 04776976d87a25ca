package config

import (
	"errors"
	"time"
)

// Clients is how many are let in, and when they are given up.
type Clients struct {
	MaxConnections int           `env:"MAX_CONNECTIONS" help:"Most connections at a time; default: what the descriptor limit allows."`
	AcceptRate     int           `env:"ACCEPT_RATE" help:"Most new clients per second; others are told to come back later. Default: any number."`
	AcceptBurst    int           `env:"ACCEPT_BURST" help:"Most new clients at once after a quiet time; default: one second's worth."`
	PingInterval   time.Duration `env:"PING_INTERVAL" default:"25s" help:"Time between heartbeats."`
	PingTimeout    time.Duration `env:"PING_TIMEOUT" default:"20s" help:"How long the answer to a heartbeat may take."`
}

func (c *Clients) validate() error {
	switch {
	case c.MaxConnections < 0:
		return errors.New("--max-connections must not be negative; leave it out for what the descriptor limit allows")
	case c.AcceptRate < 0 || c.AcceptBurst < 0:
		return errors.New("--accept-rate and --accept-burst must not be negative; leave them out for no limit")
	case c.AcceptBurst > 0 && c.AcceptRate == 0:
		return errors.New("--accept-burst does nothing without --accept-rate")
	case c.PingInterval <= 0 || c.PingTimeout <= 0:
		return errors.New("--ping-interval and --ping-timeout must be more than 0, such as 25s")
	}
	return nil
}
