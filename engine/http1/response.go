package http1

import (
	"net/http"
	"strconv"
)

// Continue is the interim response for a request with Expect100 set, once its
// head has been found acceptable (RFC 9110 §15.2.1). Immutable.
var Continue = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// Response is an answer of known length. ContentType, Header and Date are written
// as they are: nothing that a peer sent may get into them unchecked.
type Response struct {
	Status      int    // three digits; anything else is written as 500
	ContentType string // value of Content-Type; "" = none
	Header      []byte // further header lines, each ending in CRLF
	Date        []byte // value of Date, nil = none; see [http.TimeFormat]
	Body        []byte
	Head        bool // answer to HEAD: the Content-Length of Body, but not Body
	Close       bool // adds Connection: close; the caller closes after sending
	KeepAlive10 bool // adds Connection: keep-alive, which an HTTP/1.0 client that asked for it needs to see; Close wins
}

// AppendTo appends status line, head and body to dst. Statuses that have no body
// (1xx, 204, 304) get neither Body nor Content-Length (RFC 9110 §8.6). It does not
// allocate if dst has room. Loop-only, or whoever owns r and dst.
func (r *Response) AppendTo(dst []byte) []byte {
	status := r.Status
	if status < 100 || status > 999 {
		status = http.StatusInternalServerError
	}
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(status), 10)
	dst = append(dst, ' ')
	dst = append(dst, http.StatusText(status)...)
	dst = append(dst, "\r\n"...)
	if r.Date != nil {
		dst = append(dst, "Date: "...)
		dst = append(dst, r.Date...)
		dst = append(dst, "\r\n"...)
	}
	if r.ContentType != "" {
		dst = append(dst, "Content-Type: "...)
		dst = append(dst, r.ContentType...)
		dst = append(dst, "\r\n"...)
	}
	hasBody := status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
	if hasBody {
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, int64(len(r.Body)), 10)
		dst = append(dst, "\r\n"...)
	}
	dst = append(dst, r.Header...)
	dst = r.appendConnection(dst)
	dst = append(dst, "\r\n"...)
	if hasBody && !r.Head {
		dst = append(dst, r.Body...)
	}
	return dst
}

func (r *Response) appendConnection(dst []byte) []byte {
	switch {
	case r.Close:
		return append(dst, "Connection: close\r\n"...)
	case r.KeepAlive10:
		return append(dst, "Connection: keep-alive\r\n"...)
	}
	return dst
}
