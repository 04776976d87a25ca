package engine

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"time"
)

// upload copies a request's body to a pipe. It goes on while the answer is awaited:
// that may come before the body has ended, or cut it short (facts 18, 20).
type upload struct {
	pipe   *pipe
	body   io.Reader
	length int64 // what is announced; -1 for chunks
	limit  int64
	fault  error // of the body's Read
	done   chan struct{}
	whole  bool // everything was copied; read after done
}

func newUpload(p *pipe, r *http.Request, limit int64) *upload {
	u := &upload{pipe: p, body: r.Body, length: r.ContentLength, limit: limit, done: make(chan struct{})}
	go u.run()
	return u
}

func (u *upload) run() {
	defer close(u.done)
	if u.length < 0 {
		u.runChunked()
	} else {
		n, err := io.Copy(u.pipe, io.LimitReader(u, u.length))
		if u.whole = n == u.length; err == nil && !u.whole {
			u.fault = io.ErrUnexpectedEOF // a middleware took some of it
		}
	}
	if u.fault != nil {
		_ = u.pipe.Close() // facts 23: the loop is to see that no more will come
	}
}

// runChunked stops behind the limit: the answer is on its way then.
func (u *upload) runChunked() {
	chunks := httputil.NewChunkedWriter(u.pipe)
	n, err := io.Copy(chunks, io.LimitReader(u, u.limit+1))
	switch {
	case n > u.limit:
	case err == nil:
		_ = chunks.Close()
		_, err = io.WriteString(u.pipe, "\r\n") // no trailers
		u.whole = err == nil
	case u.fault != nil && !lost(u.fault): // not HTTP, and the loop is to see that
		_, _ = io.WriteString(u.pipe, "not a chunk\r\n")
		u.fault = nil
	}
}

// lost reports that a body ended because its connection did.
func lost(err error) bool {
	var system net.Error
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &system)
}

// Read reads the body, and notes why it cannot.
func (u *upload) Read(b []byte) (int, error) {
	n, err := u.body.Read(b)
	if err != nil && err != io.EOF {
		u.fault = err
	}
	return n, err
}

// finish waits until the body is not read any more, and reports whether it was whole.
// early says that the loop may not have seen all of it: no use to go on.
func (u *upload) finish(ctl *http.ResponseController, early bool) bool {
	select {
	case <-u.done:
		return u.whole
	default:
	}
	if early && ctl.SetReadDeadline(time.Unix(1, 0)) == nil {
		_ = u.pipe.SetWriteDeadline(time.Unix(1, 0))
	}
	<-u.done
	return u.whole
}
