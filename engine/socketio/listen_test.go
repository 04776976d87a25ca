package socketio_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

func TestListenAndServeStopsWithItsContext(t *testing.T) {
	t.Parallel()
	server := socketio.New(quiet(socketio.Options{}))
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	reason := make(chan socketio.Reason, 1)
	server.OnConnect(func(_ ctxt, s *socketio.Socket) error {
		s.OnDisconnect(func(r socketio.Reason) { reason <- r })
		return nil
	})
	addr := freeAddr(t)
	go func() { served <- server.ListenAndServe(ctx, addr) }()
	eventually(t, "listening", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	p, _ := join(t, addr)
	stop()
	p.expectClosed()
	_ = p.conn.Close()
	if err := receive(t, served); err != nil {
		t.Errorf("ListenAndServe = %v", err)
	}
	if r := receive(t, reason); r != socketio.ReasonServerShuttingDown {
		t.Errorf("reason %q", r)
	}
	if err := server.Listen("127.0.0.1:0"); !errors.Is(err, socketio.ErrServerClosed) {
		t.Errorf("Listen again = %v", err)
	}
}

// freeAddr returns an address that nobody listens on.
func freeAddr(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

func TestListenErrors(t *testing.T) {
	t.Parallel()
	one, two := socketio.New(quiet(socketio.Options{})), socketio.New(quiet(socketio.Options{}))
	addr := start(t, one)
	if err := two.ListenAndServe(context.Background(), addr); !errors.Is(err, engine.ErrAddressInUse) {
		t.Errorf("second server: %v", err)
	}
	if err := one.Listen("127.0.0.1:0"); err == nil {
		t.Error("listens twice")
	}
	if err := two.Shutdown(context.Background()); err != nil {
		t.Errorf("shutdown of what never ran: %v", err)
	}
}
