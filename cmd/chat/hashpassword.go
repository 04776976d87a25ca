package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
	"golang.org/x/crypto/bcrypt"
)

// maxPassword is as much of a password as bcrypt looks at, in bytes.
const maxPassword = 72

// hashPassword is the command that makes the hash for --admin-ui-password-hash.
type hashPassword struct {
	Cost int `default:"12" help:"How much work it is to check a password: each step doubles it, 12 is some 250 ms."`
}

// Run reads a line from standard input and prints its hash.
func (h *hashPassword) Run() error { return h.run(os.Stdin, os.Stdout, os.Stderr) }

func (h *hashPassword) run(in io.Reader, out, prompt io.Writer) error {
	if h.Cost < config.MinPasswordCost || h.Cost > config.MaxPasswordCost {
		return fmt.Errorf("--cost must be from %d to %d", config.MinPasswordCost, config.MaxPasswordCost)
	}
	fmt.Fprintln(prompt, "The password, and Enter:")
	line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the password: %w", err)
	}
	password := strings.TrimRight(line, "\r\n")
	if password == "" || len(password) > maxPassword {
		return fmt.Errorf("a password has from 1 to %d bytes", maxPassword)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), h.Cost)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, string(hash))
	return nil
}
