package auth

import (
	"encoding/json"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// refusal is why a client is not let in.
type refusal struct {
	result  result          // counted
	code    string          // for programs: data.code of the connect_error
	message string          // for people
	data    json.RawMessage // the backend's; instead of the code
}

// The refusals; what a client is told says nothing about the keys.
var (
	refusedRequired    = &refusal{result: resultRequired, code: "token_required", message: "token required"}
	refusedInvalid     = &refusal{result: resultInvalid, code: "token_invalid", message: "invalid token"}
	refusedExpired     = &refusal{result: resultExpired, code: "token_expired", message: "token expired"}
	refusedEarly       = &refusal{result: resultInvalid, code: "token_not_yet_valid", message: "token not valid yet"}
	refusedUnavailable = &refusal{result: resultUnavailable, code: "unavailable", message: "authentication is not available"}
	refusedSubject     = &refusal{result: resultInvalid, code: "other_subject", message: "the token is somebody else's"}
	refusedHaste       = &refusal{result: resultHaste, code: "too_soon", message: "too many refreshes, wait a second"}
)

// Error returns what people are told.
func (r *refusal) Error() string { return r.message }

// connectError is the refusal as Node's middlewares have it: a message and data.
func (r *refusal) connectError() error {
	if r.data != nil {
		return &socketio.ConnectError{Message: r.message, Data: r.data}
	}
	return &socketio.ConnectError{Message: r.message, Data: map[string]string{"code": r.code}}
}
