package socketio_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// A handler that sends a lot lets the client set the pace.
func TestQueueAndDrained(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{HighWaterMark: 64 << 20}, 1)
	s, client := a.sockets[0], a.clients[0]
	if q, err := s.Queue(t.Context()); err != nil || q != (socketio.Queue{}) || !s.Writable() {
		t.Errorf("idle: %+v, %v", q, err)
	}
	if err := s.Drained(t.Context()); err != nil {
		t.Errorf("idle: %v", err)
	}
	pad := strings.Repeat("x", 100_000)
	sent := 0
	for s.Writable() {
		_ = s.Emit("m", pad)
		sent++
		if _, err := s.Queue(t.Context()); err != nil { // it is handed out by then
			t.Fatal(err)
		}
	}
	_ = s.Emit("m", pad)
	sent++
	if q, err := s.Queue(t.Context()); err != nil || q.Packets == 0 || q.Bytes < len(pad) {
		t.Errorf("blocked: %+v, %v", q, err)
	}
	past, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Drained(past); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	drained := make(chan error, 1)
	go func() { drained <- s.Drained(context.Background()) }()
	for range sent {
		client.read()
	}
	if err := receive(t, drained); err != nil {
		t.Error(err)
	}
	if q, err := s.Queue(t.Context()); err != nil || q != (socketio.Queue{}) || !s.Writable() {
		t.Errorf("afterwards: %+v, %v", q, err)
	}
	s.Disconnect(false)
	if _, err := s.Queue(t.Context()); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("gone: %v", err)
	}
	if err := s.Drained(t.Context()); !errors.Is(err, socketio.ErrDisconnected) {
		t.Errorf("gone: %v", err)
	}
}

func TestDrainedEndsWithTheSocket(t *testing.T) {
	t.Parallel()
	a := seat(t, socketio.Options{HighWaterMark: 64 << 20}, 1)
	s := a.sockets[0]
	pad := strings.Repeat("x", 100_000)
	for s.Writable() {
		_ = s.Emit("m", pad)
		_, _ = s.Queue(t.Context())
	}
	drained := make(chan error, 1)
	go func() { drained <- s.Drained(context.Background()) }()
	s.Disconnect(true)
	if err := receive(t, drained); !errors.Is(err, socketio.ErrDisconnected) {
		t.Error(err)
	}
	a.clients[0].vanish()
}
