package socketiotest

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// defaultPatience is never reached by a test that passes.
const defaultPatience = 10 * time.Second

// Server is a socketio.Server without a network, for the time of one test.
type Server struct {
	*socketio.Server

	// Patience is how long to wait for what a test expects before it fails; default 10 s.
	Patience time.Duration

	t testing.TB
}

// NewServer makes a server with these options and starts it; see [Start]. Without
// Options.Logger, it logs where the test does.
func NewServer(t testing.TB, o socketio.Options) *Server {
	t.Helper()
	if o.Parser != nil {
		t.Fatalf("socketiotest: clients do not know Options.Parser")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	return Start(t, socketio.New(o))
}

// Start starts a server that was made with socketio.New, and neither listens nor was
// started before. Handlers may be registered before and after. It is shut down at the
// end of the test, which fails if a handler is still at work after Patience.
func Start(t testing.TB, io *socketio.Server) *Server {
	t.Helper()
	if err := io.StartInner(); err != nil {
		t.Fatalf("socketiotest: %v", err)
	}
	s := &Server{Server: io, Patience: defaultPatience, t: t}
	t.Cleanup(s.stop)
	return s
}

// Sub returns the server for a subtest of the test that it was started for: t is what its
// clients fail.
func (s *Server) Sub(t testing.TB) *Server {
	return &Server{Server: s.Server, Patience: s.Patience, t: t}
}

func (s *Server) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), s.Patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		s.t.Errorf("socketiotest: at the end of the test: %v", err)
	}
}

// Settle waits until the server has nothing left to do: no handler runs or waits for a
// worker, and what was sent has arrived, both ways. It does not wait for timers and
// goroutines that handlers have started. A handler that waits for something, such as
// an acknowledgement, is not done; while there is one, use Expect instead.
func (s *Server) Settle() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), s.Patience)
	defer cancel()
	err := s.SettleInner(ctx)
	if err != nil && !errors.Is(err, socketio.ErrServerClosed) {
		s.t.Fatalf("socketiotest: the server does not settle: %v", err)
	}
}
