package forward

import (
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/tunnel"
)

// patience is how long the other server may take nothing. The engine gives a client less;
// what it has given up need not be kept for ever.
const patience = time.Minute

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
		_, _ = carry(nc, s)
		_ = nc.Close() // nobody waits for more
		_ = s.Close()
	}()
	_, _ = carry(patient{s}, nc)
	_ = s.Close()
	<-done
}

// patient gives each Write its time.
type patient struct{ *tunnel.Stream }

func (w patient) Write(b []byte) (int, error) {
	_ = w.SetWriteDeadline(time.Now().Add(patience))
	return w.Stream.Write(b)
}
