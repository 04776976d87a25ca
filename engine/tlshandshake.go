package engine

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// A TLS handshake costs about a millisecond of arithmetic and a goroutine with a stack,
// and who begins one owes us nothing yet. So the loop collects the client's first
// record before there is a goroutine; a bounded number of handshakes are in progress
// at a time, fewer of them calculate, and the rest wait their turn, as bytes. While
// others wait, handshakes whose clients say nothing give up their places. All of it
// has to be done within Options.TLSHandshakeTimeout.

const (
	// recordHeader is how long a record's header is, in bytes.
	recordHeader = 5
	// maxEarly is what a client may send while its handshake is in progress, in bytes,
	// and maxEarlyAll what those of one loop may send together if some send more: a
	// client goes on at once behind its last message, a file to upload for example, and
	// reading cannot be paused until we have looked at that.
	maxEarly    = 64 << 10
	maxEarlyAll = 32 << 20
	// maxStarts is how many clients may wait for a place, for each place there is.
	maxStarts = 4
	// silentTicks is after how long a silent handshake may lose its place, and
	// shakeTicks how often that is looked at.
	silentTicks = uint64(time.Second / tickLength)
	shakeTicks  = uint64(100 * time.Millisecond / tickLength)
)

// tlsHandshake is a handshake in progress. The loop brings what arrives and takes what
// is to be sent; the goroutine in between runs crypto/tls.
type tlsHandshake struct {
	conn          *conn          // loop-only
	layer         *tlsLayer      // immutable
	local, remote netip.AddrPort // immutable
	began         uint64         // loop-only: tick at which it got its place; 0 before
	evicted       bool           // loop-only: it lost it
	early         int            // loop-only: bytes of loop.early that are this one's

	mu     sync.Mutex
	wake   chan struct{} // immutable; holds one: there is something to look at
	in     []byte        // arrived and not read; guarded by mu
	out    []byte        // to be sent; guarded by mu
	silent bool          // the goroutine waits for the client; guarded by mu
	gone   bool          // the connection is closed; guarded by mu
}

// beginTLS waits for the first record of a connection that was accepted.
func (c *conn) beginTLS() {
	k := &tlsLayer{Conn: c.gc, loop: c.loop}
	k.shake = &tlsHandshake{
		conn: c, layer: k, wake: make(chan struct{}, 1),
		local: addrPort(c.gc.LocalAddr()), remote: c.peerAddr(),
	}
	c.gc = k
	c.flags |= connShaking
	c.expire(ticks(c.loop.srv.opts.TLSHandshakeTimeout))
}

// feedHandshake takes what was read while the handshake is in progress.
func (c *conn) feedHandshake(b []byte) {
	h := c.secure().shake
	if h.arrived(b); h.early > maxEarly && c.loop.early > maxEarlyAll {
		c.doom()
		return
	}
	if h.began != 0 {
		return
	}
	switch whole, err := firstRecord(h.in); {
	case err == errPlainHTTP: // in the words of net/http
		c.flags &^= connShaking
		c.loop.early -= h.early
		c.loop.stats.tlsFailed.Add(1)
		c.write([]byte("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"))
		c.hangUp()
	case err != nil:
		c.doom()
	case whole:
		c.loop.queueHandshake(h)
	}
}

var (
	errPlainHTTP = errors.New("engine: HTTP where TLS was expected")
	errNotTLS    = errors.New("engine: not TLS")
)

// firstRecord reports whether b holds a whole record of a handshake, or what it is
// instead.
func firstRecord(b []byte) (whole bool, err error) {
	const handshake, major = 22, 3
	switch {
	case len(b) == 0:
		return false, nil
	case b[0] != handshake:
		for _, method := range []string{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH"} {
			if n := min(len(b), len(method)); string(b[:n]) == method[:n] {
				if n < len(method) {
					return false, nil
				}
				return false, errPlainHTTP
			}
		}
		return false, errNotTLS
	case len(b) > 1 && b[1] != major:
		return false, errNotTLS
	case len(b) < recordHeader:
		return false, nil
	}
	n := int(b[3])<<8 | int(b[4])
	if n == 0 || n > maxRecord {
		return false, errNotTLS
	}
	return len(b) >= recordHeader+n, nil
}

// queueHandshake lets h begin, or wait for a place. Loop-only.
func (l *loop) queueHandshake(h *tlsHandshake) {
	if slices.Contains(l.starts, h) {
		return
	}
	if len(l.starts) >= maxStarts*l.shakePlaces() {
		l.starts = slices.DeleteFunc(l.starts, func(h *tlsHandshake) bool { return !h.conn.open() })
	}
	if len(l.starts) >= maxStarts*l.shakePlaces() {
		h.conn.doom()
		return
	}
	l.starts = append(l.starts, h)
	l.startHandshakes()
}

// shakePlaces is how many handshakes of this loop may be in progress.
func (l *loop) shakePlaces() int {
	return max(1, l.srv.opts.MaxTLSHandshakes/max(1, l.srv.opts.Loops))
}

// startHandshakes gives the places there are to those who wait, first come first
// served. Loop-only.
func (l *loop) startHandshakes() {
	for len(l.starts) > 0 && len(l.shakes) < l.shakePlaces() {
		h := l.starts[0]
		l.starts[0] = nil
		if l.starts = l.starts[1:]; len(l.starts) == 0 {
			l.starts = nil
		}
		if h.conn.open() {
			h.began = max(1, l.now)
			h.layer.tls = tls.Server((*tlsPipe)(h.layer), l.srv.tls.config)
			l.shakes = append(l.shakes, h)
			go h.run(l.srv.tls)
		}
	}
	if len(l.starts) > 0 {
		l.dueBy(l.now + shakeTicks)
	}
}

// evictHandshakes closes the oldest handshakes whose clients are silent, as many as
// others wait for their places. Called by the tick.
func (l *loop) evictHandshakes() {
	if len(l.starts) == 0 {
		return
	}
	wanted := len(l.starts)
	for _, h := range l.shakes {
		if wanted == 0 {
			break
		}
		if !h.evicted && l.now-h.began >= silentTicks && h.isSilent() {
			h.evicted = true
			h.conn.doom()
		}
		if h.evicted {
			wanted--
		}
	}
	l.dueBy(l.now + shakeTicks)
}

// run shakes hands.
func (h *tlsHandshake) run(t *tlsServer) {
	err := errGoexit
	t.work <- struct{}{}
	defer func() {
		<-t.work
		h.layer.loop.post(task{kind: taskRun, fn: func() { h.over(err) }})
	}()
	err = h.try()
}

// errGoexit is the end of a handshake one of whose callbacks has ended the goroutine.
var errGoexit = errors.New("engine: runtime.Goexit in a TLS handshake")

// try saves the process from what user callbacks of the tls.Config may do.
func (h *tlsHandshake) try() (err error) {
	defer func() {
		if p := recover(); p != nil {
			h.layer.loop.srv.panicked(h.layer.loop, p)
			err = fmt.Errorf("engine: panic in a TLS handshake: %v", p)
		}
	}()
	return h.layer.tls.Handshake()
}

// over is told, on the loop, that the goroutine has ended. The connection may be gone.
func (h *tlsHandshake) over(err error) {
	c := h.conn
	l := c.loop
	if i := slices.Index(l.shakes, h); i >= 0 {
		l.shakes = slices.Delete(l.shakes, i, i+1)
	}
	defer l.startHandshakes()
	if !c.open() {
		return
	}
	defer l.recoverFor(c)
	h.flush()
	c.flags &^= connShaking
	l.early -= h.early
	if err != nil {
		l.stats.tlsFailed.Add(1)
		l.srv.opts.Logger.Debug("engine: TLS handshake", "remote", h.remote, "error", err)
		c.hangUp() // behind the alert
		return
	}
	l.stats.tlsHandshakes.Add(1)
	k := h.layer
	k.in, k.shake = h.in, nil
	c.layOn(k)
	c.http.waits = waitHead
	c.expire(ticks(l.srv.opts.HeaderTimeout))
	c.feedSecure(nil)
}

// abort ends the handshake of a connection that is gone. Loop-only.
func (h *tlsHandshake) abort() {
	h.conn.loop.early -= h.early
	h.mu.Lock()
	h.gone = true
	h.mu.Unlock()
	h.ring()
}

func (h *tlsHandshake) ring() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// arrived takes input. Loop-only.
func (h *tlsHandshake) arrived(b []byte) {
	h.early += len(b)
	h.conn.loop.early += len(b)
	h.mu.Lock()
	h.in = append(h.in, b...)
	h.silent = false
	h.mu.Unlock()
	h.ring()
}

func (h *tlsHandshake) isSilent() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.silent
}

// read waits for input. While it does, others may calculate.
func (h *tlsHandshake) read(b []byte) (int, error) {
	if n, err := h.take(b); n > 0 || err != nil {
		return n, err
	}
	t := h.layer.loop.srv.tls
	<-t.work
	defer func() { t.work <- struct{}{} }()
	for {
		<-h.wake
		if n, err := h.take(b); n > 0 || err != nil {
			return n, err
		}
	}
}

// take is nothing at all when there is no input.
func (h *tlsHandshake) take(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone {
		return 0, io.ErrUnexpectedEOF
	}
	n := copy(b, h.in)
	if h.in = h.in[n:]; len(h.in) == 0 {
		h.in = nil
	}
	h.silent = n == 0
	return n, nil
}

// write has b sent by the loop.
func (h *tlsHandshake) write(b []byte) (int, error) {
	h.mu.Lock()
	h.out = append(h.out, b...)
	gone := h.gone
	h.mu.Unlock()
	if gone || !h.layer.loop.post(task{kind: taskRun, fn: h.flush}) {
		return 0, net.ErrClosed
	}
	return len(b), nil
}

// flush sends what the goroutine has written. Loop-only.
func (h *tlsHandshake) flush() {
	h.mu.Lock()
	b := h.out
	h.out = nil
	h.mu.Unlock()
	if h.conn.flags&connShaking != 0 && len(b) > 0 {
		h.conn.writeRaw(b)
	}
}
