package socketio_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// logBook is a log that may be read while it is written.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestErrorsAreLoggedByDefault(t *testing.T) {
	t.Parallel()
	var book logBook
	io := socketio.New(socketio.Options{Loops: 1, Logger: slog.New(slog.NewTextHandler(&book, nil))})
	socketio.On(io, "fail", func(ctxt, *socketio.Socket, struct{}) error { return errors.New("broken") })
	socketio.On(io, "gone", func(_ ctxt, s *socketio.Socket, _ struct{}) error {
		s.Disconnect(false)
		return s.Emit("too late")
	})
	socketio.On(io, "panic", func(ctxt, *socketio.Socket, struct{}) error { panic(errors.New("oh")) })
	addr := start(t, io)
	for _, event := range []string{"fail", "gone", "panic"} {
		p, _ := join(t, addr)
		p.send(`42["` + event + `"]`)
	}
	eventually(t, "three reports", func() bool { return io.Stats().Errors == 3 })
	eventually(t, "two lines", func() bool { return strings.Count(book.String(), "\n") == 2 })
	for _, want := range []string{`level=WARN`, `handler of \"fail\": broken`, `level=ERROR`, "panic in a handler: oh", "report_test.go"} {
		if !strings.Contains(book.String(), want) {
			t.Errorf("no %s in the log:\n%s", want, book.String())
		}
	}
}

// What waits for a worker when the shutdown is cut short is given up, not run.
func TestShutdownAbandonsWhatWaits(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{Workers: 1}))
	entered, open := make(chan bool), make(chan bool)
	socketio.On(io, "x", func(ctxt, *socketio.Socket, struct{}) error {
		entered <- true
		<-open
		return nil
	})
	if err := io.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	a, _ := join(t, io.Addr().String())
	b, _ := join(t, io.Addr().String())
	a.send(`42["x"]`, `42["x"]`)
	receive(t, entered)
	b.send(`42["x"]`)
	eventually(t, "b waits", func() bool { return io.Stats().Waiting == 1 })
	_, _ = a.conn.Close(), b.conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := io.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown = %v", err)
	}
	close(open)
	// The worker goes on with a's second event, which it has in hand already: a
	// mailbox is given up between two turns, and each turn is FairShare events.
	receive(t, entered)
	eventually(t, "the worker ends", func() bool { st := io.Stats(); return st.Busy == 0 && st.Waiting == 0 })
}
