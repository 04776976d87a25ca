package conversation

import (
	"errors"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// AckError is for socketio.Options: it turns what is wrong with a request into an acknowledgement {error: "words"}. What
// is wrong with the server is not for clients; it goes to Options.OnError.
func AckError(err error) (reply any, ok bool) {
	if r := new(Refusal); errors.As(err, &r) {
		return r, true
	}
	if a := new(socketio.ArgError); errors.As(err, &a) {
		return &Refusal{"the arguments of " + a.Event + " are not what it takes"}, true
	}
	if errors.Is(err, socketio.ErrTooManyRooms) {
		return &Refusal{"you are in too many rooms: leave one first"}, true
	}
	return nil, false
}
