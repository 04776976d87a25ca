package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// TestEveryPeerServesTheScenarios is the contract with the load client: each
// broadcast reaches everybody, the sender too, in order, and each echo its sender.
func TestEveryPeerServesTheScenarios(t *testing.T) {
	for _, p := range everyone {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, p)
			var clients []*client
			for range 20 {
				clients = append(clients, dial(t, s.addr, p.dialect))
			}
			chat(clients)
			clients[0].Close() //nolint:errcheck // it is gone either way
			chat(clients[1:])
		})
	}
}

// chat has the first client send broadcasts without waiting, and then everyone an
// echo.
func chat(clients []*client) {
	sender := clients[0]
	var texts []string
	for i := range 10 {
		text := fmt.Sprintf("%06d a text", i)
		texts = append(texts, text)
		sender.send(fmt.Sprintf(sender.broadcast, text))
	}
	for _, c := range clients {
		for _, text := range texts {
			c.expect(c.delivery, text)
		}
	}
	for i, c := range clients {
		text := fmt.Sprintf("%06d an echo", i)
		c.send(fmt.Sprintf(c.echo, text))
		c.expect(c.answer, text)
	}
	sender.send(fmt.Sprintf(sender.broadcast, "the last"))
	for _, c := range clients {
		c.expect(c.delivery, "the last")
	}
}

func TestAServerEndsWithItsInput(t *testing.T) {
	for _, p := range everyone {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			needsNode(t, p)
			s, err := programs.start(p, anyCPU)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.stop(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestAWrongFlagEndsAServerWithAReason(t *testing.T) {
	for _, p := range everyone {
		p.args = append(slices.Clone(p.args), "-no-such-flag")
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			needsNode(t, p)
			if out, err := programs.command(p).CombinedOutput(); err == nil || len(out) == 0 {
				t.Fatalf("it said %q and ended with %v", out, err)
			}
		})
	}
}

// serve runs a peer's server for the length of the test.
func serve(t *testing.T, p peer) *server {
	t.Helper()
	needsNode(t, p)
	s, err := programs.start(p, anyCPU)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// needsNode skips a test that cannot be done here, unless CI says that it must.
func needsNode(t *testing.T, p peer) {
	t.Helper()
	if _, err := exec.LookPath("node"); p.name != nodeJS || err == nil {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("node is not installed")
	}
	t.Skip("node is not installed: install version 18 or newer")
}
