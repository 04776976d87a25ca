package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
)

// health is the command that asks a running server how it is: for containers, which
// have no other program inside to ask with.
type health struct {
	File    config.File   `name:"config" env:"FANFARE_CONFIG" type:"existingfile" placeholder:"FILE" help:"The server's file with options, for its admin address."`
	Admin   string        `env:"ADMIN" default:"127.0.0.1:6060" help:"The server's admin address."`
	Ready   bool          `help:"Ask whether new clients may come, rather than whether it is alive: false while it stops."`
	Timeout time.Duration `default:"3s" help:"How long the answer may take."`
}

// Run returns nil where the server is well.
func (h *health) Run() error {
	url, err := h.url()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), h.Timeout)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		return fmt.Errorf("the server does not answer: %w", err)
	}
	defer func() { _ = a.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(a.Body, 4<<10)) // an answer is a line; the status counts
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not well: %s %s", a.Status, strings.TrimSpace(string(body)))
	}
	_, err = os.Stdout.Write(body)
	return err
}

// url is what to ask.
func (h *health) url() (string, error) {
	if h.Admin == "off" {
		return "", errors.New("the server has no admin address (--admin=off), and nobody can ask how it is")
	}
	if _, _, err := net.SplitHostPort(h.Admin); err != nil {
		return "", fmt.Errorf("--admin must be the server's admin address, such as 127.0.0.1:6060 (%w)", err)
	}
	path := "/healthz"
	if h.Ready {
		path = "/readyz"
	}
	return urlOf(h.Admin, false) + path, nil
}
