package socketiotest_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// recorder is a testing.TB that notes its failures instead of failing.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failures []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// The kit fails tests that should fail, and says why.
func TestWhatShouldFailFails(t *testing.T) {
	echo := func(s *socketiotest.Server) {
		socketio.On(s, "echo", func(_ ctxt, sock *socketio.Socket, args socketio.Args) error { return sock.Emit("echo", args) })
	}
	for _, test := range []struct {
		name string
		run  func(s *socketiotest.Server)
		want string
	}{
		{"other event", func(s *socketiotest.Server) { c := s.Connect(); c.Emit("echo"); c.Expect("other") }, `got event "echo" [], want "other"`},
		{"other arguments", func(s *socketiotest.Server) { c := s.Connect(); c.Emit("echo", 1); c.Expect("echo", 2) }, `event echo: got [1], want [2]`},
		{"too few", func(s *socketiotest.Server) { c := s.Connect(); c.Emit("echo", 1); c.Expect("echo", 1, 2) }, `got [1], want [1,2]`},
		{"too many", func(s *socketiotest.Server) { c := s.Connect(); c.Emit("echo", 1, 2); c.Expect("echo", 1) }, `got [1,2], want [1]`},
		{"other binary", func(s *socketiotest.Server) {
			c := s.Connect()
			c.Emit("echo", []byte{1})
			c.Expect("echo", []byte{2})
		}, `["\x01"], want`},
		{"text for binary", func(s *socketiotest.Server) {
			c := s.Connect()
			c.Emit("echo", []byte("a"))
			c.Expect("echo", "a")
		}, `want ["a"]`},
		{"nothing comes", func(s *socketiotest.Server) { s.Connect().Next() }, "no event came within 1m0s"},
		{"nothing comes any more", func(s *socketiotest.Server) { c := s.Connect(); c.Close(); c.Next() }, "no event came: the client is disconnected: transport close"},
		{"something comes", func(s *socketiotest.Server) { c := s.Connect(); c.Emit("echo", 1); c.ExpectNothing() }, `got event "echo" [1], want none`},
		{"no acknowledgement", func(s *socketiotest.Server) { s.Connect().EmitAck("echo") }, `event "echo" was not acknowledged within 1m0s`},
		{"ack of a lost client", func(s *socketiotest.Server) { c := s.Connect(); a := c.Ask("echo"); c.Close(); a.Args() }, `event "echo" was not acknowledged: the client is disconnected`},
		{"nobody asked", func(s *socketiotest.Server) { c := s.Connect(); c.Emit("echo"); c.Next().Ack() }, "nobody waits for an acknowledgement"},
		{"refused", func(s *socketiotest.Server) {
			s.Connect(socketiotest.ConnectOptions{Namespace: "/nowhere"}).Emit("x")
		}, "the client was refused: Invalid namespace"},
		{"not refused", func(s *socketiotest.Server) { _ = s.Connect().Refused() }, "not refused, it is connected"},
		{"not disconnected", func(s *socketiotest.Server) { s.Connect().Disconnected() }, "not disconnected within 1m0s"},
		{"emits when gone", func(s *socketiotest.Server) { c := s.Connect(); c.Disconnect(); c.Emit("x") }, "the client is disconnected: io client disconnect"},
		{"unencodable", func(s *socketiotest.Server) { s.Connect().Emit("x", func() {}) }, `emitting "x": socketio: argument 1`},
		{"bad auth", func(s *socketiotest.Server) {
			s.Connect(socketiotest.ConnectOptions{Auth: func() {}})
		}, "auth: json: unsupported type"},
		{"joined twice", func(s *socketiotest.Server) { s.Connect().Of("/", nil) }, "in namespace / already"},
		{"reconnects while connected", func(s *socketiotest.Server) { s.Connect().Reconnect() }, "Close it first"},
		{"no answer", func(s *socketiotest.Server) {
			s.Use(func(ctx ctxt, _ *socketio.Socket) error { <-ctx.Done(); return ctx.Err() })
			s.Connect()
		}, "is a middleware still at it?"},
		{"does not settle", func(s *socketiotest.Server) {
			socketio.On(s, "hang", func(ctx ctxt, _ *socketio.Socket, _ struct{}) error { <-ctx.Done(); return nil })
			s.Connect().Emit("hang")
			s.Settle()
		}, "does not settle: socketio: a handler is at work"},
		{"no room", func(s *socketiotest.Server) {
			for range 11 {
				s.Connect()
			}
		}, "there is no room for another connection"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &recorder{TB: t}
				server := socketiotest.NewServer(r, socketio.Options{MaxConnections: 10, ConnectTimeout: time.Hour})
				server.Patience = time.Minute
				echo(server)
				passed := make(chan bool, 1)
				go func() {
					defer close(passed)
					test.run(server)
					passed <- true
				}()
				if <-passed {
					t.Fatal("the test passed")
				}
				if r.mu.Lock(); len(r.failures) != 1 || !strings.Contains(r.failures[0], test.want) {
					t.Errorf("failed with %q, want %q", r.failures, test.want)
				}
				r.mu.Unlock()
			})
		})
	}
}

func TestServersThatCannotStartFailTheTest(t *testing.T) {
	for _, test := range []struct {
		name, want string
		start      func(r *recorder)
	}{
		{"twice", "Listen or Start was called before", func(r *recorder) {
			io := socketio.New(socketio.Options{})
			socketiotest.Start(t, io)
			socketiotest.Start(r, io)
		}},
		{"with another parser", "Options.Parser", func(r *recorder) {
			socketiotest.NewServer(r, socketio.Options{Parser: socketio.Msgpack{}})
		}},
	} {
		r := &recorder{TB: t}
		ended := make(chan bool)
		go func() {
			defer close(ended)
			test.start(r)
		}()
		<-ended
		if len(r.failures) != 1 || !strings.Contains(r.failures[0], test.want) {
			t.Errorf("%s: %q", test.name, r.failures)
		}
	}
}

// A handler that never returns fails the test whose server it is.
func TestAHandlerThatIsLeftFailsTheTest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan bool)
		r := &recorder{TB: t}
		t.Cleanup(func() { // after the server's own
			if len(r.failures) != 1 || !strings.Contains(r.failures[0], "at the end of the test") {
				t.Errorf("%q", r.failures)
			}
			close(open)
		})
		server := socketiotest.NewServer(r, socketio.Options{})
		socketio.On(server, "hang", func(ctxt, *socketio.Socket, struct{}) error { <-open; return nil })
		server.Connect().Emit("hang")
		synctest.Wait()
	})
}
