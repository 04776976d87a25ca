package socketio_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// A client that comes back and is refused will not be recovered either.
func TestRefusedWhenItReturns(t *testing.T) {
	w := recovering(t, socketio.Recovery{RunMiddlewares: true})
	user := socketio.NewKey[string]()
	expired := make(chan string, 10)
	w.OnRecoveryExpired(func(_ context.Context, s *socketio.Socket) { expired <- s.ID() + user.Get(s) })
	c, s := w.visitor(t)
	user.Set(s, "ann")
	w.loses(c)
	w.Use(func(_ ctxt, s *socketio.Socket) error {
		if s.Recovered() {
			return errors.New("banned")
		}
		return nil
	})
	again := dial(t, w.addr)
	again.send(`40{"pid":"` + c.pid + `"}`)
	again.expect(`44{"message":"banned"}`)
	if got := receive(t, expired); got != c.sid+"ann" {
		t.Errorf("expired: %s", got)
	}
	if st := w.Stats().Recovery; st.Waiting != 0 || st.WaitingBytes != 0 {
		t.Errorf("%+v", st)
	}
}

// closing is an adapter that tells of its end.
type closing struct {
	*socketio.MemoryAdapter
	done chan string
}

func (c closing) Close() error { c.done <- "closed"; return nil }

// The last functions of a child's last socket are those of OnRecoveryExpired.
func TestChildrenStayUntilTheirSocketsHaveExpired(t *testing.T) {
	told := make(chan string, 100)
	goOn := make(chan struct{})
	w := recoveringWith(t, socketio.Options{
		ConnectionStateRecovery:     &socketio.Recovery{MaxDisconnectionDuration: 50 * time.Millisecond},
		CleanupEmptyChildNamespaces: true,
		Adapter: func(a *socketio.MemoryAdapter) socketio.Adapter {
			return closing{a, told}
		},
	})
	p := w.OfPattern(regexp.MustCompile(`^/dyn-\d+$`))
	p.OnRecoveryExpired(func(context.Context, *socketio.Socket) { <-goOn; told <- "expired" })
	for _, name := range []string{"/dyn-1", "/dyn-2"} {
		c := &revenant{nsp: name}
		c.returns(t, w.addr)
		c.vanish()
	}
	eventually(t, "both have expired", func() bool { return w.Stats().Recovery.Expired == 2 && w.Stats().Busy == 2 })
	if n := len(p.Children()); n != 2 {
		t.Errorf("%d children", n)
	}
	goOn <- struct{}{}
	if got := receive(t, told) + ", " + receive(t, told); got != "expired, closed" {
		t.Errorf("told: %s", got)
	}
	close(goOn)
	if got := receive(t, told) + ", " + receive(t, told); got != "expired, closed" {
		t.Errorf("told: %s", got)
	}
	eventually(t, "they are removed", func() bool { return len(p.Children()) == 0 })
}
