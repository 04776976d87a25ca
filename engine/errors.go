package engine

import (
	"errors"
	"fmt"
	"net/http"
)

// Errors of New, Listen and Serve.
var (
	// ErrNoAccept: Options.Accept is missing.
	ErrNoAccept = errors.New("engine: Options.Accept is required")
	// ErrBadDeflate: Options.PerMessageDeflate asks for what there is not.
	ErrBadDeflate = errors.New("engine: PerMessageDeflate has levels 1-9 and windows of 9-15 bits")
	// ErrBadHTTPCompression: Options.HTTPCompression asks for what there is not.
	ErrBadHTTPCompression = errors.New("engine: HTTPCompression has levels 1-9")
	// ErrAddressInUse: somebody listens there already; the text says what to do.
	ErrAddressInUse = errors.New("engine: the address is in use by another server: stop it or choose another port")
	// ErrDescriptorLimit: the process may open too few descriptors to serve anybody.
	ErrDescriptorLimit = errors.New("engine: the limit of open descriptors is too low: raise it, for example with ulimit -n 65536")
	// ErrLoopsDied: gnet stopped without being asked to.
	ErrLoopsDied = errors.New("engine: the event loops stopped by themselves")
	// ErrLoopStuck: an event loop did not stop, because something blocks on it.
	ErrLoopStuck = errors.New("engine: an event loop is blocked and did not stop")
	// ErrNotListening: Serve or Shutdown before Listen.
	ErrNotListening = errors.New("engine: Listen was not called")
	// ErrListening: Listen was called before.
	ErrListening = errors.New("engine: Listen was called before")
)

// ErrRequestReleased: the bytes of a session's opening request were let go.
var ErrRequestReleased = errors.New("engine: the request was released")

// errStop ends the reading of a connection whose session is gone.
var errStop = errors.New("engine: session closed")

// requestError is one of Node's six request errors (fact 2).
type requestError struct {
	code    int
	status  int
	message string
	body    []byte // JSON, for plain HTTP
}

func newRequestError(code, status int, message string) *requestError {
	body := fmt.Appendf(nil, `{"code":%d,"message":%q}`, code, message)
	return &requestError{code: code, status: status, message: message, body: body}
}

var (
	errUnknownTransport = newRequestError(0, http.StatusBadRequest, "Transport unknown")
	errUnknownSID       = newRequestError(1, http.StatusBadRequest, "Session ID unknown")
	errBadMethod        = newRequestError(2, http.StatusBadRequest, "Bad handshake method")
	errBadRequest       = newRequestError(3, http.StatusBadRequest, "Bad request")
	errForbidden        = newRequestError(4, http.StatusForbidden, "Forbidden")
	errProtocolVersion  = newRequestError(5, http.StatusBadRequest, "Unsupported protocol version")
)

// requestErrors is how many codes there are.
const requestErrors = 6
