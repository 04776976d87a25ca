// Package auth says who a client is, and keeps others out. A [Guard] looks for a JSON
// Web Token (RFC 7519) in what a client says when it connects, verifies it, asks a
// backend where there is one, and lets a socket stay until the token expires; see
// docs/auth.md. Without keys and without a backend everybody is a guest.
//
// Tokens, cookies, keys and secrets are in no log, no error and no metric.
package auth

import (
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Identity is who a client proved to be. The zero value is a guest.
type Identity struct {
	Subject string    // stays the same for one person; empty for guests
	Name    string    // to be shown
	Expires time.Time // zero: never
}

// identities has an entry for every socket that a Guard let in, guests included.
var identities = socketio.NewKey[Identity]()

// Of returns who the client is. It is safe for concurrent use, as of the first function
// of OnConnect.
func Of(s *socketio.Socket) Identity { return identities.Get(s) }
