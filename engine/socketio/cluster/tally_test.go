package cluster_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// local is the half of an adapter that has a server.
func local(t *testing.T) *socketio.MemoryAdapter {
	t.Helper()
	var m *socketio.MemoryAdapter
	socketio.New(socketio.Options{Logger: slog.New(slog.DiscardHandler), Adapter: func(l *socketio.MemoryAdapter) socketio.Adapter {
		m = l
		return l
	}})
	return m
}

// wire leads to one other adapter, unless it is cut.
type wire struct {
	to  atomic.Pointer[cluster.Adapter]
	cut atomic.Bool
}

func (w *wire) Publish(m *cluster.Message) error {
	if to := w.to.Load(); to != nil && !w.cut.Load() {
		to.Receive(m)
	}
	return nil
}

func (w *wire) Answer(string, *cluster.Message) error               { return nil }
func (w *wire) Others(context.Context) (int, []string, error)       { return 1, nil, nil }
func (w *wire) Close() error                                        { return nil }
func (w *wire) open(a *cluster.Adapter) (l cluster.Link, err error) { return w, nil }

// What is lost is known exactly, also of a server that has nothing more to say, and also
// by one that has only come meanwhile.
func TestLossesOfThoseWhoFallSilent(t *testing.T) {
	here, there := local(t), local(t)
	synctest.Test(t, func(t *testing.T) {
		var out, back wire
		sender, err := cluster.New(here, "sender", cluster.Options{}, out.open)
		if err != nil {
			t.Fatal(err)
		}
		emit := func(n int) {
			for range n {
				if err := sender.Broadcast(&socketio.Broadcast{Array: []byte(`["x"]`)}); err != nil {
					t.Error(err)
				}
			}
		}
		emit(7)
		time.Sleep(time.Minute)
		receiver, err := cluster.New(there, "receiver", cluster.Options{}, back.open)
		if err != nil {
			t.Fatal(err)
		}
		out.to.Store(receiver)
		back.to.Store(sender)
		time.Sleep(3 * time.Second)
		lost := func(want uint64) {
			t.Helper()
			time.Sleep(3 * time.Second)
			if s := receiver.Stats(); s.Lost != want || s.LostBy["sender"] != want {
				t.Errorf("lost %d, %v; want %d", s.Lost, s.LostBy, want)
			}
		}
		lost(0)
		emit(2)
		out.cut.Store(true)
		emit(5)
		time.Sleep(time.Minute)
		out.cut.Store(false)
		lost(0) // nobody has said so
		receiver.Missed()
		lost(5)
		emit(1)
		lost(5)
		out.cut.Store(true)
		emit(1)
		out.cut.Store(false)
		lost(6)
		for _, a := range []*cluster.Adapter{sender, receiver} {
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}
