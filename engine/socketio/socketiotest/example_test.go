package socketiotest_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

// newChat is the application: a server with its handlers, not listening.
func newChat() *socketio.Server {
	io := socketio.New(socketio.Options{})
	io.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct {
			Name string `json:"name"`
		}
		if err := s.DecodeAuth(&auth); err != nil || auth.Name == "" {
			return &socketio.ConnectError{Message: "who are you?"}
		}
		name.Set(s, auth.Name)
		return nil
	})
	socketio.On(io, "chatMessage", func(_ context.Context, s *socketio.Socket, msg string) error {
		return io.Emit("reply", name.Get(s), msg)
	})
	socketio.OnAck(io, "ready?", func(ctx context.Context, s *socketio.Socket, _ struct{}) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		if _, err := s.EmitWithAck(ctx, "are you?"); err != nil {
			return "no", nil
		}
		return "yes", nil
	})
	return io
}

var name = socketio.NewKey[string]()

func as(name string) socketiotest.ConnectOptions {
	return socketiotest.ConnectOptions{Auth: map[string]string{"name": name}}
}

func TestChat(t *testing.T) {
	server := socketiotest.Start(t, newChat())
	ada, bob := server.Connect(as("ada")), server.Connect(as("bob"))
	ada.Emit("chatMessage", "hello")
	ada.Expect("reply", "ada", "hello")
	bob.Expect("reply", "ada", "hello")
	if refusal := server.Connect().Refused(); refusal.Message != "who are you?" {
		t.Errorf("refused with %q", refusal.Message)
	}
}

// In a bubble the 30 s that the handler waits take no time.
func TestChatWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := socketiotest.Start(t, newChat())
		server.Patience = time.Minute
		ada := server.Connect(as("ada"))
		ready := ada.Ask("ready?")
		ada.Expect("are you?") // and she does not answer
		ready.Expect("no")
	})
}

// exampleTest stands for the *testing.T of a test, which an example has not.
type exampleTest struct {
	testing.TB
	cleanups []func()
}

func (t *exampleTest) Helper()                   {}
func (t *exampleTest) Cleanup(fn func())         { t.cleanups = append(t.cleanups, fn) }
func (t *exampleTest) Errorf(f string, a ...any) { fmt.Printf(f+"\n", a...) }
func (t *exampleTest) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (t *exampleTest) end() {
	for _, fn := range t.cleanups {
		fn()
	}
}

// A test has a *testing.T for t.
func Example() {
	t := new(exampleTest)
	defer t.end()

	server := socketiotest.Start(t, newChat())
	ada, bob := server.Connect(as("ada")), server.Connect(as("bob"))
	ada.Emit("chatMessage", "hello")
	fmt.Println(bob.Expect("reply", "ada", "hello"))
	fmt.Println(server.Connect().Refused())
	// Output:
	// "reply" ["ada","hello"]
	// who are you?
}

// The server asks, the client answers.
func ExampleEvent_Ack() {
	t := new(exampleTest)
	defer t.end()

	server := socketiotest.Start(t, newChat())
	ada := server.Connect(as("ada"))
	ready := ada.Ask("ready?")
	ada.Expect("are you?").Ack()
	fmt.Println(ready.Args())
	// Output: ["yes"]
}

// Rooms and broadcasts reach the clients of the test.
func ExampleClient_ExpectNothing() {
	t := new(exampleTest)
	defer t.end()

	server := socketiotest.Start(t, newChat())
	ada, bob := server.Connect(as("ada")), server.Connect(as("bob"))
	_ = ada.Socket().Join("news")
	_ = server.To("news").Emit("headline", "it works")
	fmt.Println(ada.Next())
	bob.ExpectNothing()
	// Output: "headline" ["it works"]
}
