package engine

import (
	"bytes"
	"encoding/json"
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
	// ErrBadLimits: Options.Limits, or those of SetLimits, cannot be meant.
	ErrBadLimits = errors.New("engine: bad Limits")
	// ErrBadProxies: Options.TrustedProxies, ProxyProtocol or ClientHeader cannot be meant.
	ErrBadProxies = errors.New("engine: bad TrustedProxies")
	// ErrBadNodeTag: Options.NodeTag or Forward cannot be meant.
	ErrBadNodeTag = errors.New("engine: NodeTag is 1 to 16 letters and digits")
	// ErrAddressInUse: somebody listens there already; the text says what to do.
	ErrAddressInUse = errors.New("engine: the address is in use by another server: stop it or choose another port")
	// ErrDescriptorLimit: the process may open too few descriptors to serve anybody.
	ErrDescriptorLimit = errors.New("engine: the limit of open descriptors is too low: raise it, for example with ulimit -n 65536")
	// ErrNoCertificate: a tls.Config has neither Certificates nor a function for them.
	ErrNoCertificate = errors.New("engine: TLS needs a certificate: set Certificates or GetCertificate")
	// ErrLoopsDied: gnet stopped without being asked to.
	ErrLoopsDied = errors.New("engine: the event loops stopped by themselves")
	// ErrLoopStuck: an event loop did not stop, because something blocks on it.
	ErrLoopStuck = errors.New("engine: an event loop is blocked and did not stop")
	// ErrNotListening: Serve, Shutdown or Dial before Listen or Start, or Dial after Shutdown.
	ErrNotListening = errors.New("engine: Listen was not called")
	// ErrListening: Listen or Start was called before.
	ErrListening = errors.New("engine: Listen or Start was called before")
	// ErrFull: there are as many connections as there may be.
	ErrFull = errors.New("engine: there is no room for another connection")
)

// ErrRequestReleased: the bytes of a session's opening request were let go.
var ErrRequestReleased = errors.New("engine: the request was released")

// Errors of Options.GenerateID, told to OnConnectionError.
var (
	// ErrBadSessionID: an id is 1 to 64 letters, digits and "-._~".
	ErrBadSessionID = errors.New("engine: not a session id")
	// ErrSessionIDTaken: there is a session of that id.
	ErrSessionIDTaken = errors.New("engine: the session id is taken")
)

var (
	errNoAnswer       = errors.New("engine: a middleware neither called next nor answered")
	errAnswerTooLarge = errors.New("engine: the answer of a middleware is larger than MaxHTTPBufferSize")
)

// errStop ends the reading of a connection whose session is gone.
var errStop = errors.New("engine: session closed")

// requestError is one of Node's six request errors (fact 2).
type requestError struct {
	code    int
	status  int
	message string
	body    []byte // JSON, for plain HTTP
	name    string // Node's for what exactly is wrong; "" where the code says it
}

// named is e with a name of its own: the same on the wire.
func (e requestError) named(name string) *requestError {
	e.name = name
	return &e
}

func newRequestError(code, status int, message string) *requestError {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	_ = e.Encode(message) // a string: never fails
	body := fmt.Appendf(nil, `{"code":%d,"message":%s}`, code, bytes.TrimSpace(text.Bytes()))
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

// Bad requests by Node's name for what is bad (connection_error: context.name).
var (
	errInvalidOrigin      = errBadRequest.named("INVALID_ORIGIN")
	errTransportMismatch  = errBadRequest.named("TRANSPORT_MISMATCH")
	errProtocolMismatch   = errBadRequest.named("PROTOCOL_MISMATCH")
	errTransportHandshake = errBadRequest.named("TRANSPORT_HANDSHAKE_ERROR")
	errMiddleware         = errBadRequest.named("MIDDLEWARE_FAILURE")
	errIDGeneration       = errBadRequest.named("ID_GENERATION_ERROR")
)

// requestErrors is how many codes there are.
const requestErrors = 6

// requestErrorTexts are Node's, by code.
var requestErrorTexts = [requestErrors]string{
	errUnknownTransport.message, errUnknownSID.message, errBadMethod.message,
	errBadRequest.message, errForbidden.message, errProtocolVersion.message,
}
