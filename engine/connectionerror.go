package engine

import (
	"net/http"
	"strconv"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// ConnectionError is a request that the engine refused. Node: the argument of the
// engine's connection_error event.
type ConnectionError struct {
	Request *http.Request // without its body
	Code    int           // 0 to 5, as the client was told
	Message string        // Node's text for the code
	// Context says more, under Node's keys: "name" of the error for code 3
	// (INVALID_ORIGIN, TRANSPORT_MISMATCH, PROTOCOL_MISMATCH, TRANSPORT_HANDSHAKE_ERROR,
	// MIDDLEWARE_FAILURE, ID_GENERATION_ERROR), "transport" for 0, "sid" for 1, "method"
	// for 2, "message" for 4, "protocol" for 5.
	Context map[string]string
	Err     error // what the application's hook said, or how it panicked; nil where none was asked
}

// Error makes ConnectionError an error.
func (e *ConnectionError) Error() string { return "engine: request refused: " + e.Message }

// Unwrap returns Err.
func (e *ConnectionError) Unwrap() error { return e.Err }

// RequestError is what an AllowRequest returns to tell the client why: Message takes the
// place of "Forbidden". The text of other errors stays with the server.
type RequestError struct{ Message string }

// Error makes RequestError an error.
func (e *RequestError) Error() string { return "engine: request refused: " + e.Message }

// report tells of a refused request whoever wants to know.
func (c *conn) report(q *http1.Request, in *intent, err *requestError) {
	h := c.loop.srv.hooks.Load()
	if h == nil || len(h.connectionError) == 0 {
		return
	}
	e := ConnectionError{Request: c.requestFor(q, in), Code: err.code, Message: requestErrorTexts[err.code], Context: in.context(q, err)}
	if v := in.verdict; v != nil {
		e.Err = v.cause
	}
	for _, fn := range h.connectionError {
		fn(e)
	}
}

// context is what Node gives as the context of its connection_error.
func (in *intent) context(q *http1.Request, err *requestError) map[string]string {
	m := make(map[string]string)
	value := func(key string) string {
		v, _, _ := http1.QueryValue(q.Query, key)
		return string(v)
	}
	if err.name != "" {
		m["name"] = err.name
	}
	switch {
	case err.code == errUnknownTransport.code:
		m["transport"] = value("transport")
	case err.code == errUnknownSID.code:
		m["sid"] = value("sid")
	case err.code == errBadMethod.code:
		m["method"] = string(q.Method)
	case err.code == errForbidden.code:
		m["message"] = err.message
	case err.code == errProtocolVersion.code:
		m["protocol"] = strconv.Itoa(in.protocol)
	case err == errInvalidOrigin:
		m["origin"] = string(q.Get("Origin"))
	case err == errTransportMismatch:
		m["transport"], m["previousTransport"] = in.transport.String(), in.session.Transport().String()
	case err == errProtocolMismatch:
		m["protocol"], m["previousProtocol"] = strconv.Itoa(in.protocol), strconv.Itoa(in.session.protocol())
	}
	return m
}
