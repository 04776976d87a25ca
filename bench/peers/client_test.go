package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const patience = 20 * time.Second // for a server to answer

// speech is how a client of a dialect does what the scenarios need. Servers are sent
// the text x; %s is where it goes.
type speech struct {
	path      string
	join      []step
	broadcast string
	delivery  string // what everybody then receives
	echo      string
	answer    string // what one client then receives
}

// step is part of joining: what the client sends, if anything, and how the answer
// begins.
type step struct{ send, begins string }

var dialects = map[string]speech{
	raw: {
		path: "/", broadcast: "b%s", delivery: "%s", echo: "e%s", answer: "%s",
	},
	socketIO: {
		path: "/socket.io/?EIO=4&transport=websocket", join: []step{{"", "0{"}, {"40", `40{"sid"`}},
		broadcast: `42["chatMessage","%s"]`, delivery: `42["reply","%s"]`, echo: `427["echo","%s"]`, answer: `437["%s"]`,
	},
	centrifuge: {
		path: "/connection/websocket",
		join: []step{
			{`{"id":1,"connect":{}}`, `{"id":1,"connect"`},
			{`{"id":2,"subscribe":{"channel":"chat"}}`, `{"id":2,"subscribe"`},
		},
		broadcast: `{"id":3,"publish":{"channel":"chat","data":"%s"}}`, delivery: `{"push":{"channel":"chat","pub":{"data":"%s"}}}`,
		echo: `{"id":4,"rpc":{"method":"echo","data":"%s"}}`, answer: `{"id":4,"rpc":{"data":"%s"}}`,
	},
}

// client is one connection; its methods end the test when something else comes than
// should.
type client struct {
	t *testing.T
	*websocket.Conn
	speech
	waiting []string // of a message that holds several
}

func dial(t *testing.T, addr, dialect string) *client {
	t.Helper()
	s := dialects[dialect]
	conn, _, err := (&websocket.Dialer{HandshakeTimeout: patience}).Dial("ws://"+addr+s.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &client{t: t, Conn: conn, speech: s}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for _, step := range s.join {
		if step.send != "" {
			c.send(step.send)
		}
		if got := c.receive(); !strings.HasPrefix(got, step.begins) {
			t.Fatalf("%q while joining, want %s…", got, step.begins)
		}
	}
	return c
}

func (c *client) send(message string) {
	c.t.Helper()
	if err := c.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
		c.t.Fatal(err)
	}
}

// receive returns the next message. centrifuge joins several by newlines, and says
// by an answer of its own that it took a publication, which is no delivery.
func (c *client) receive() string {
	c.t.Helper()
	for {
		for len(c.waiting) > 0 {
			next := c.waiting[0]
			if c.waiting = c.waiting[1:]; !strings.HasPrefix(next, `{"id":3,"publish"`) {
				return next
			}
		}
		_, b, err := c.ReadMessage()
		if err != nil {
			c.t.Fatal(err)
		}
		c.waiting = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	}
}

func (c *client) expect(form, text string) {
	c.t.Helper()
	if got, want := c.receive(), fmt.Sprintf(form, text); got != want {
		c.t.Fatalf("received %q, want %q", got, want)
	}
}
