package embedded

import (
	"crypto/subtle"

	"github.com/nats-io/nats-server/v2/server"
)

// door lets clients in: those of this process, and those who know the token.
type door struct{ token string }

// Check implements server.Authentication.
func (d door) Check(c server.ClientAuthentication) bool {
	if a := c.RemoteAddress(); a != nil && a.Network() == "pipe" {
		return true
	}
	return d.token != "" && subtle.ConstantTimeCompare([]byte(c.GetOpts().Token), []byte(d.token)) == 1
}
