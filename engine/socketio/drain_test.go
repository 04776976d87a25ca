package socketio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

func TestDrainEndsSocketsOneAfterTheOther(t *testing.T) {
	t.Parallel()
	const clients, over = 100, 100 * time.Second
	o := socketio.Options{ConnectionStateRecovery: &socketio.Recovery{}}
	inBubble(t, o, func(t *testing.T, server *socketiotest.Server) {
		ends := tellEnds(server.Server)
		var all []*socketiotest.Client
		for range clients {
			all = append(all, server.Connect())
		}
		began := time.Now()
		drained := make(chan error, 1)
		go func() { drained <- server.Drain(context.Background(), socketio.DrainOptions{Over: over}) }()
		time.Sleep(over/2 + 10*time.Millisecond)
		st := server.Stats()
		if left := st.Sockets["/"]; left < 48 || left > 51 || !st.Engine.Emptying || int(st.Engine.WebSocket) != left {
			t.Errorf("%d left at half time; Emptying is %v", left, st.Engine.Emptying)
		}
		if n := st.Recovery.Waiting; n != 0 {
			t.Errorf("%d are waited for, who will not come back", n)
		}
		if err := server.Emit("still", "here"); err != nil {
			t.Error(err)
		}
		if err := <-drained; err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < over || took > over+time.Second {
			t.Errorf("took %v", took)
		}
		last := began
		for range clients {
			e := <-ends
			if e.reason != socketio.ReasonServerShuttingDown {
				t.Fatalf("%+v", e)
			}
			if gap := e.at.Sub(last); gap < 980*time.Millisecond || gap > 1020*time.Millisecond {
				t.Errorf("%v between two ends", gap)
			}
			last = e.at
		}
		told := 0
		for _, c := range all {
			if c.Disconnected() != socketiotest.TransportClose {
				t.Error("a stock client would not come back")
			}
			if c.Received() > 0 {
				c.Expect("still", "here")
				told++
			}
		}
		if told != st.Sockets["/"] {
			t.Errorf("%d of %d were told", told, st.Sockets["/"])
		}
	})
}

func TestDrainGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	inBubble(t, socketio.Options{}, func(t *testing.T, server *socketiotest.Server) {
		for range 10 {
			server.Connect()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := server.Drain(ctx, socketio.DrainOptions{Over: time.Hour}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took > time.Minute+2*time.Second {
			t.Errorf("took %v", took)
		}
		if st := server.Stats(); st.Sockets["/"] != 0 || st.Engine.Closed[engine.ReasonServerShutdown] != 10 {
			t.Errorf("%d left", st.Sockets["/"])
		}
	})
}

func TestDrainWithoutClientsIsShutdown(t *testing.T) {
	t.Parallel()
	inBubble(t, socketio.Options{}, func(t *testing.T, server *socketiotest.Server) {
		began := time.Now()
		if err := server.Drain(context.Background(), socketio.DrainOptions{Over: time.Hour}); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
		if err := server.Drain(context.Background(), socketio.DrainOptions{}); err != nil {
			t.Errorf("a second one: %v", err)
		}
	})
	server := socketio.New(quiet(socketio.Options{}))
	if err := server.Drain(context.Background(), socketio.DrainOptions{}); err != nil {
		t.Errorf("before Listen: %v", err)
	}
}
