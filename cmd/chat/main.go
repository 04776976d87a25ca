// Command chat is the chat edge server: a web page and Socket.IO on one port. What
// a client sends as "chatMessage", everybody receives as "reply"; a client that
// gives a callback hears when that is done.
//
//	go run ./cmd/chat            # http://localhost:3000
//	PORT=8080 go run ./cmd/chat  # another port
//	go run ./cmd/chat --help     # everything else
//
// SIGTERM ends it gracefully: it says that it is not ready, waits for that to be
// noticed, closes its clients one after the other (they connect elsewhere), and ends. An
// interrupt (Ctrl-C) does it without delay. A second signal has it end within a second,
// a third at once.
//
// Exit codes: 0 after a graceful stop, 1 for what went wrong, 80 for options that are
// not valid, 128 and the signal's number (130, 143) where a second signal cut the stop short.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	c := new(commands)
	p := parser(c)
	ctx, err := p.Parse(os.Args[1:])
	p.FatalIfErrorf(invalidOptions(err))
	if err := ctx.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(exitCode(err))
	}
}

// exitInvalid is what the program ends with where its options are not valid, wherever they come from.
const exitInvalid = 80

// invalidOptions gives an error that exit code.
func invalidOptions(err error) error {
	if err == nil {
		return nil
	}
	return &codedError{err, exitInvalid}
}

// exitCode is the error's own, where it has one.
func exitCode(err error) int {
	var own interface{ ExitCode() int }
	if errors.As(err, &own) {
		return own.ExitCode()
	}
	return 1
}
