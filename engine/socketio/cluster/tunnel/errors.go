package tunnel

import "errors"

// Errors of Dial and of a stream's Read and Write.
var (
	// ErrPeerGone: there is no server of that tag, or none any more.
	ErrPeerGone = errors.New("tunnel: the other server is gone")
	// ErrRefused: the other server takes no streams.
	ErrRefused = errors.New("tunnel: the other server takes no connection")
	// ErrBusy: there are as many streams, or as many bytes in them, as there may be.
	ErrBusy = errors.New("tunnel: too many connections between two servers")
	// ErrLost: a part of the stream was lost on the way.
	ErrLost = errors.New("tunnel: a message between two servers was lost")
	// ErrReset: the other end has given the stream up.
	ErrReset = errors.New("tunnel: connection reset by the other server")
	// ErrNoAnswer: the other server is there, but has not answered in time.
	ErrNoAnswer = errors.New("tunnel: the other server does not answer")
	// ErrSend: the Carrier did not take a message.
	ErrSend = errors.New("tunnel: a message could not be sent")
)

// Errors of New.
var (
	// ErrBadTag: a tag is 1 to 16 letters and digits.
	ErrBadTag = errors.New("tunnel: a tag is 1 to 16 letters and digits")
)

// errListening: there is a Listener.
var errListening = errors.New("tunnel: Listen was called before")

// errMalformed: a message does not parse.
var errMalformed = errors.New("tunnel: malformed message")

// cause is why a stream is reset, as it is on the wire.
type cause uint8

const (
	causeReset   cause = iota // its user has closed it, or does not know it
	causeRefused              // nobody listens
	causeBusy                 // a bound is met
	causeLost                 // a part is missing
	causeCount
)

// err is what the stream's user sees.
func (c cause) err() error {
	switch c {
	case causeRefused:
		return ErrRefused
	case causeBusy:
		return ErrBusy
	case causeLost:
		return ErrLost
	}
	return ErrReset
}
