// Package auth says who a client is.
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

var identities = socketio.NewKey[Identity]()

// Of returns who the client is.
func Of(s *socketio.Socket) Identity { return identities.Get(s) }
