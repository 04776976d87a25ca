package main

import (
	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// origins are those whose pages may connect: for Options, and, on SIGHUP, for SetCORS.
// Where cookies say who somebody is, browsers want to hear that these are meant.
func origins(c *config.Config) socketio.CORS {
	return socketio.CORS{Origins: c.Listen.Origin, Credentials: c.Auth.Cookies()}
}
