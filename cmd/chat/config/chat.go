package config

import (
	"errors"
	"fmt"
	"net/url"
)

// Chat is what people may write, and where.
type Chat struct {
	MaxText      int      `default:"4000" help:"Longest message, in characters."`
	MaxChatRooms int      `default:"100000" help:"Most rooms with somebody in them, beside the lobby where everybody is."`
	PageServer   []string `placeholder:"ORIGIN,…" help:"Other servers that the page may talk to, where its address asks for one with ?server=, such as https://chat.example.com."`
	PresenceRate int      `default:"10000" help:"Most clients per second that are told who is in their room; beyond it they are told later."`
}

func (c *Chat) validate() error {
	if c.MaxText <= 0 || c.MaxChatRooms <= 0 || c.PresenceRate <= 0 {
		return errors.New("--max-text, --max-chat-rooms and --presence-rate must be more than 0")
	}
	for _, server := range c.PageServer {
		u, err := url.Parse(server)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.Scheme+"://"+u.Host != server {
			return fmt.Errorf("--page-server %q is not the origin of a server: give scheme and host without a path, such as https://chat.example.com", server)
		}
	}
	return nil
}
