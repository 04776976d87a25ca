package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/auth"
)

// token is the command that prints a token: for a first try, and for tests. Who has users
// has a backend that makes their tokens.
type token struct {
	AuthSecret     string        `secret:"" xor:"secret" placeholder:"TEXT" help:"Secret to sign with, as the server has it."`
	AuthSecretFile string        `type:"existingfile" xor:"secret" placeholder:"FILE" help:"File with secrets, as the server has it; the first signs."`
	Subject        string        `default:"guest" help:"Who it is: the claim sub."`
	Name           string        `help:"Name to be shown: the claim name."`
	Room           []string      `help:"Rooms to join at once: the claim rooms."`
	TTL            time.Duration `name:"ttl" default:"1h" help:"How long it is valid."`
}

// Run prints a token.
func (c *token) Run() error { return c.print(os.Stdout, time.Now()) }

func (c *token) print(out io.Writer, now time.Time) error {
	if c.AuthSecret == "" && c.AuthSecretFile == "" {
		return errors.New("give the server's secret with --auth-secret-file (or --auth-secret)")
	}
	text, err := auth.Mint(auth.Options{Secret: c.AuthSecret, SecretFile: c.AuthSecretFile}, auth.Claims{
		Subject: c.Subject, Name: c.Name, Rooms: c.Room, Expires: now.Add(c.TTL),
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, text)
	return err
}
