package http1

import "net/http"

// Error is a refusal: the status to answer with before closing the connection.
// Every error of this package is an *Error. Immutable; compare with errors.Is.
type Error struct {
	Status int    // HTTP status code to answer with
	Reason string // for a log line or a response body; contains nothing the peer sent
}

// Error returns the reason, preceded by the package name. Safe for concurrent use.
func (e *Error) Error() string { return "http1: " + e.Reason }

// Refusals of a request line.
var (
	ErrRequestLine = &Error{http.StatusBadRequest, "malformed request line"}                  // RFC 9112 §3; also HTTP/0.9
	ErrMethod      = &Error{http.StatusBadRequest, "method is not a token"}                   // RFC 9110 §9.1
	ErrConnect     = &Error{http.StatusNotImplemented, "CONNECT is not served"}               // RFC 9110 §9.3.6
	ErrTarget      = &Error{http.StatusBadRequest, "malformed request target"}                // RFC 9112 §3.2
	ErrLineLength  = &Error{http.StatusRequestURITooLong, "request line too long"}            // MaxLineBytes
	ErrVersion     = &Error{http.StatusHTTPVersionNotSupported, "HTTP version not supported"} // RFC 9110 §15.6.6
)

// Refusals of field lines.
var (
	ErrLineEnd    = &Error{http.StatusBadRequest, "line does not end in CRLF"}                        // RFC 9112 §2.2
	ErrFold       = &Error{http.StatusBadRequest, "folded field line"}                                // RFC 9112 §5.2
	ErrFieldName  = &Error{http.StatusBadRequest, "field name is not a token followed by a colon"}    // RFC 9112 §5.1
	ErrFieldValue = &Error{http.StatusBadRequest, "control byte in a field value"}                    // RFC 9110 §5.5
	ErrFieldCount = &Error{http.StatusRequestHeaderFieldsTooLarge, "too many fields"}                 // MaxFields
	ErrHeadLength = &Error{http.StatusRequestHeaderFieldsTooLarge, "request head too long"}           // MaxHeadBytes
	ErrTrailers   = &Error{http.StatusRequestHeaderFieldsTooLarge, "too many or too long trailers"}   // MaxTrailerBytes
	ErrTrailer    = &Error{http.StatusBadRequest, "Trailer field names a field that frames messages"} // RFC 9110 §6.5.1
)

// Refusals of what the fields say together.
var (
	ErrHost            = &Error{http.StatusBadRequest, "Host missing, repeated, malformed or not the target's"} // RFC 9112 §3.2
	ErrContentLength   = &Error{http.StatusBadRequest, "Content-Length repeated or not a number"}               // RFC 9112 §6.3
	ErrTransferCoding  = &Error{http.StatusBadRequest, "malformed Transfer-Encoding"}                           // RFC 9112 §6.1
	ErrUnknownCoding   = &Error{http.StatusNotImplemented, "transfer coding other than chunked"}                // RFC 9112 §6.1
	ErrLengthAndCoding = &Error{http.StatusBadRequest, "both Content-Length and Transfer-Encoding"}             // RFC 9112 §6.1
	ErrExpect          = &Error{http.StatusExpectationFailed, "expectation other than 100-continue"}            // RFC 9110 §10.1.1
)

// Refusals of a chunked body.
var (
	ErrChunkSize      = &Error{http.StatusBadRequest, "malformed chunk size"}                  // RFC 9112 §7.1
	ErrChunkExtension = &Error{http.StatusBadRequest, "malformed or too long chunk extension"} // MaxExtensionBytes, MaxExtensionsBytes
	ErrChunkEnd       = &Error{http.StatusBadRequest, "chunk does not end in CRLF"}            // RFC 9112 §7.1
)
