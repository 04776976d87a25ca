package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
)

// emit is the command that has a running server emit an event: a client of its API.
type emit struct {
	Config config.File `name:"config" env:"FANFARE_CONFIG" type:"existingfile" placeholder:"FILE" help:"The server's file with options: its api, api-key and api-key-file are used."`
	API    config.API  `embed:"" group:"The server"`
	URL    string      `name:"url" group:"The server" placeholder:"URL" help:"URL of the API; default: what --api and --api-tls-cert say, http://127.0.0.1:3001."`

	Namespace  string        `placeholder:"NAME" help:"Namespace, such as /orders; default: /."`
	Room       []string      `sep:"none" placeholder:"ROOM" help:"Room, or id of a socket, that is to receive it; may be given several times. Default: everybody."`
	Except     []string      `sep:"none" placeholder:"ROOM" help:"Room that is not to receive it; may be given several times."`
	Volatile   bool          `help:"Drop it for clients that cannot take it at once."`
	AckTimeout time.Duration `placeholder:"DURATION" help:"Wait so long for acknowledgements, and print them; such as 5s."`
	String     bool          `help:"Every ARG, or line, is a string, whether it is JSON or not."`
	Timeout    time.Duration `default:"10s" help:"How long the server may take to answer, beside --ack-timeout."`

	Event string   `arg:"" help:"Name of the event."`
	Args  []string `arg:"" optional:"" name:"arg" help:"Arguments: JSON, or else a string. A single - emits one event for each line of standard input: an array is its arguments, anything else its only one."`
}

// Help is kong's hook.
func (c *emit) Help() string {
	return `Exit codes: 0 where it was emitted, and everybody who was asked has acknowledged; 1 where the server could
not be reached or failed; 2 where it refused the request; 3 where some have not acknowledged; 80 for a wrong
command line.`
}

// Validate is kong's hook.
func (c *emit) Validate() error {
	switch {
	case c.AckTimeout < 0 || c.Timeout <= 0:
		return errors.New("--timeout and --ack-timeout must be more than 0, such as 5s")
	case c.AckTimeout > 0 && c.AckTimeout < time.Millisecond:
		return errors.New("--ack-timeout must be 1ms at least")
	case c.AckTimeout > 0 && c.lines():
		return errors.New("--ack-timeout is for one event, not for those of standard input")
	}
	return nil
}

// lines reports whether the arguments are read from standard input.
func (c *emit) lines() bool { return len(c.Args) == 1 && c.Args[0] == "-" && !c.String }

// codedError is an error with an exit code of its own.
type codedError struct {
	error
	code int
}

// ExitCode is what the program ends with.
func (e *codedError) ExitCode() int { return e.code }

// Unwrap returns the error.
func (e *codedError) Unwrap() error { return e.error }

// Exit codes of emit.
const (
	exitRefused = 2 // the server has understood, and says no
	exitMissing = 3 // not everybody has acknowledged
)

// Run emits, and prints what became of it.
func (c *emit) Run() error {
	caller, err := newAPICaller(c)
	if err != nil {
		return err
	}
	if c.lines() {
		return c.bulk(caller, os.Stdin, os.Stdout)
	}
	return c.once(caller, os.Stdout)
}

// emission is the API's request for one event.
type emission struct {
	Namespace  string            `json:"namespace,omitempty"`
	Rooms      []string          `json:"rooms,omitempty"`
	Except     []string          `json:"except,omitempty"`
	Event      string            `json:"event"`
	Args       []json.RawMessage `json:"args,omitempty"`
	Volatile   bool              `json:"volatile,omitempty"`
	Count      bool              `json:"count,omitempty"`
	AckTimeout int64             `json:"ack_timeout_ms,omitempty"`
}

// emitted is its answer.
type emitted struct {
	Sockets  int               `json:"sockets"`
	Answered int               `json:"answered"`
	Answers  []json.RawMessage `json:"answers"`
	Missing  []json.RawMessage `json:"missing"`
}

func (c *emit) emission() emission {
	return emission{Namespace: c.Namespace, Rooms: c.Room, Except: c.Except, Event: c.Event, Volatile: c.Volatile}
}

// argument is one word of the command line as JSON.
func (c *emit) argument(word string) json.RawMessage {
	if !c.String && json.Valid([]byte(word)) {
		return json.RawMessage(word)
	}
	b, err := json.Marshal(word)
	if err != nil {
		panic(err) // of a string
	}
	return b
}

func (c *emit) once(caller *apiCaller, out io.Writer) error {
	e := c.emission()
	e.Count, e.AckTimeout = c.AckTimeout == 0, c.AckTimeout.Milliseconds()
	for _, word := range c.Args {
		e.Args = append(e.Args, c.argument(word))
	}
	var answer emitted
	if err := caller.post("/v1/emit", e, c.AckTimeout, &answer); err != nil {
		return err
	}
	if c.AckTimeout == 0 {
		fmt.Fprintf(out, "emitted to %s\n", socketsIn(answer.Sockets))
		return nil
	}
	for _, line := range append(answer.Answers, answer.Missing...) {
		fmt.Fprintln(out, string(line))
	}
	fmt.Fprintf(out, "%d of %s acknowledged\n", answer.Answered, socketsIn(answer.Sockets))
	if lack := answer.Sockets - answer.Answered; lack > 0 {
		return &codedError{fmt.Errorf("%s did not acknowledge", socketsIn(lack)), exitMissing}
	}
	return nil
}

func socketsIn(n int) string {
	if n == 1 {
		return "1 socket"
	}
	return fmt.Sprint(n, " sockets")
}

// fromLine is an event with the arguments of a line of standard input.
func (c *emit) fromLine(line string) emission {
	e := c.emission()
	if !c.String && strings.HasPrefix(strings.TrimSpace(line), "[") && json.Unmarshal([]byte(line), &e.Args) == nil {
		return e
	}
	e.Args = []json.RawMessage{c.argument(line)}
	return e
}
