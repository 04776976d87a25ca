package forward

import (
	"io"
	"net"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
)

const (
	// fewBytes is what a connection keeps to read into while nothing comes, and manyBytes
	// what it takes while much does.
	fewBytes  = 2 << 10
	manyBytes = 32 << 10
	// patience is how long the other server may take nothing. The engine gives a client
	// less; what it has given up need not be kept for ever.
	patience = time.Minute
)

// serve carries the bytes between a connection that another server has opened and one to the
// loops of this server, until either ends.
func serve(v *socketio.Server, s *tunnel.Stream) {
	defer func() { _ = s.Close() }()
	peer, ok := parsePeer(s.Meta())
	if !ok {
		s.Refuse(tunnel.ErrReset)
		return
	}
	nc, err := v.Dial(peer)
	if err != nil {
		s.Refuse(tunnel.ErrRefused)
		return
	}
	defer func() { _ = nc.Close() }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = carry(nc, s)
		_ = nc.Close() // nobody waits for more
		_ = s.Close()
	}()
	_ = carry(patient{s}, nc)
	_ = s.Close()
	<-done
}

// patient gives each Write its time.
type patient struct{ *tunnel.Stream }

func (w patient) Write(b []byte) (int, error) {
	_ = w.SetWriteDeadline(time.Now().Add(patience))
	return w.Stream.Write(b)
}

// carry copies until one end fails.
func carry(dst io.Writer, src net.Conn) error {
	few := make([]byte, fewBytes)
	b := few
	for {
		n, err := src.Read(b)
		if n > 0 {
			if _, err := dst.Write(b[:n]); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		switch {
		case n == len(b) && n < manyBytes:
			b = buffers{}.Get()
		case n < fewBytes && len(b) > fewBytes:
			buffers{}.Put(b)
			b = few
		}
	}
}
