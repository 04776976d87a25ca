package config

import "errors"

// Chat is what people may write, and where.
type Chat struct {
	MaxText      int `default:"4000" help:"Longest message, in characters."`
	MaxRooms     int `default:"100000" help:"Most rooms with somebody in them, beside the lobby where everybody is."`
	PresenceRate int `default:"10000" help:"Most clients per second that are told who is in their room; beyond it they are told later."`
}

func (c *Chat) validate() error {
	if c.MaxText <= 0 || c.MaxRooms <= 0 || c.PresenceRate <= 0 {
		return errors.New("--max-text, --max-rooms and --presence-rate must be more than 0")
	}
	return nil
}
