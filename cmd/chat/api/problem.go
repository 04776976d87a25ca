package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Problem is an error that the client is told, with the status it is told with.
type Problem struct {
	Status  int    `json:"-"`       // of HTTP
	Code    string `json:"code"`    // for programs; stays the same
	Message string `json:"message"` // for people: what is wrong, and with which field
}

// Error returns the message.
func (p *Problem) Error() string { return "api: " + p.Message }

// Invalid is the Problem of a request that makes no sense: status 400.
func Invalid(format string, args ...any) *Problem {
	return &Problem{http.StatusBadRequest, "invalid_request", fmt.Sprintf(format, args...)}
}

// The Problems that are the same for every request.
var (
	errUnauthorized = &Problem{http.StatusUnauthorized, "unauthorized", "unauthorized"}
	errNotFound     = &Problem{http.StatusNotFound, "not_found", "there is no such path; see /openapi.yaml"}
	errMethod       = &Problem{http.StatusMethodNotAllowed, "method_not_allowed", "the Allow header names the methods of this path"}
	errMediaType    = &Problem{http.StatusUnsupportedMediaType, "unsupported_media_type", "send JSON, with Content-Type: application/json"}
	errTooLarge     = &Problem{http.StatusRequestEntityTooLarge, "too_large", "the body is larger than the server takes: send less at once"}
	errBusy         = &Problem{http.StatusServiceUnavailable, "busy", "too many requests at the same time: try again"}
	errStopping     = &Problem{http.StatusServiceUnavailable, "stopping", "the server is stopping: try another one"}
	errTimeout      = &Problem{http.StatusGatewayTimeout, "timeout", "the server did not answer in time: whether it was done is not known"}
	errNoChat       = &Problem{http.StatusNotImplemented, "not_available", "this server has no chat messages"}
	errInternal     = &Problem{http.StatusInternalServerError, "internal", "something went wrong; the server's log has it, by the request's id"}
)

// problemOf is what the client is told of an error.
func problemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if r, ok := errors.AsType[*socketio.ReservedEventError](err); ok {
		return &Problem{http.StatusBadRequest, "reserved_event", fmt.Sprintf("event: %q is a reserved event name", r.Event)}
	}
	switch {
	case errors.Is(err, socketio.ErrServerClosed):
		return errStopping
	case errors.Is(err, socketio.ErrTooManyAcks):
		return &Problem{http.StatusServiceUnavailable, "busy", "too many events wait for acknowledgements: try again"}
	case errors.Is(err, socketio.ErrTooManyRooms):
		return &Problem{http.StatusConflict, "too_many_rooms", "a socket is in too many rooms to join another; others may have joined"}
	case errors.Is(err, socketio.ErrTooManyAttachments):
		return Invalid("args: too many $binary values for one event")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return errTimeout
	}
	return errInternal
}

// body is the Problem as a client reads it.
func (p *Problem) body() []byte {
	b, err := json.Marshal(struct {
		Error *Problem `json:"error"`
	}{p})
	if err != nil {
		panic(err) // two strings
	}
	return append(b, '\n')
}
