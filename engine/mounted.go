package engine

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// mountedRequest is one request of net/http and its answer, over a pipe.
type mountedRequest struct {
	srv  *Server
	w    http.ResponseWriter
	ctl  *http.ResponseController
	r    *http.Request
	pipe *pipe
	body *upload // nil without one
}

// run reports whether the pipe may be used again.
func (x *mountedRequest) run() bool {
	if _, err := x.pipe.Write(http1.AppendRequestHead(nil, x.r)); err != nil {
		x.fail(x.r.Context().Err() != nil)
		return false
	}
	whole := true
	switch n := x.r.ContentLength; {
	case n == 0:
		_ = x.ctl.SetReadDeadline(time.Time{}) // a poll waits longer than other requests may
	case n > x.srv.opts.MaxHTTPBufferSize:
		whole = false // the head says enough (fact 20)
	default:
		x.body = newUpload(x.pipe, x.r, x.srv.opts.MaxHTTPBufferSize)
	}
	answer, err := x.read()
	gone := x.r.Context().Err() != nil // before the body is given up: net/http takes that for the client's end
	if x.body != nil {
		whole = x.body.finish(x.ctl, err != nil || answer.Close)
	}
	switch {
	case err != nil:
		x.fail(gone)
		return false
	case !whole && x.r.ProtoMajor == 1 && x.lastWord(answer):
		return false
	}
	return x.pass(answer) && whole && !answer.Close
}

// read waits for the loop's answer, and takes all of it where the pipe may not last.
func (x *mountedRequest) read() (answer *http.Response, err error) {
	for {
		answer, err = http.ReadResponse(x.pipe.br, x.r)
		if err != nil {
			return nil, err
		}
		if answer.StatusCode >= 200 {
			break
		}
	}
	if x.body != nil {
		var b []byte
		b, err = io.ReadAll(answer.Body)
		answer.Body = io.NopCloser(bytes.NewReader(b))
	}
	return answer, err
}

// pass gives the answer to the client; false if the client did not take it.
func (x *mountedRequest) pass(answer *http.Response) bool {
	h := x.w.Header()
	for name, values := range answer.Header {
		switch name {
		case "Connection": // its meaning is in answer.Close
		case "Vary", "Set-Cookie": // middleware may have set others
			h[name] = append(h[name], values...)
		default:
			h[name] = values
		}
	}
	if answer.Header["Content-Type"] == nil {
		h["Content-Type"] = nil // or net/http would guess
	}
	if answer.Close && x.r.ProtoMajor == 1 { // over HTTP/2 it would end the streams of others
		h.Set("Connection", "close")
	}
	_ = x.ctl.SetWriteDeadline(time.Now().Add(x.srv.opts.MaxBlocked)) // not from when the poll came
	x.w.WriteHeader(answer.StatusCode)
	_, err := io.Copy(x.w, answer.Body)
	_ = x.ctl.Flush()
	_ = x.ctl.SetWriteDeadline(time.Time{}) // net/http sets its own for the next request
	return err == nil
}

// lastWord answers a client that may be sending still, as the loops do: our half is
// closed, and what comes is dropped, for CloseTimeout (see conn.hangUp). False where
// the connection is not to be had.
func (x *mountedRequest) lastWord(answer *http.Response) bool {
	nc, _, err := x.ctl.Hijack()
	if err != nil {
		return false
	}
	defer func() { _ = nc.Close() }()
	_ = nc.SetDeadline(time.Now().Add(x.srv.opts.CloseTimeout))
	if answer.Write(nc) == nil {
		closeHalf(nc)
		_, _ = io.Copy(io.Discard, nc)
	}
	return true
}

// closeHalf lets the peer see the end.
func closeHalf(nc net.Conn) {
	if c, ok := nc.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

// fail ends a request that the loop has cut, or that nobody waits for.
func (x *mountedRequest) fail(gone bool) {
	switch {
	case gone:
	case x.srv.draining.Load():
		unavailable(x.w, x.r)
	default: // fact 18
		x.cut()
	}
}

// cut closes the client's connection without an answer; over HTTP/2, its stream.
func (x *mountedRequest) cut() {
	nc, _, err := x.ctl.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = nc.Close()
}
