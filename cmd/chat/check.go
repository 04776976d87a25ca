package main

import (
	"fmt"
	"os"

	"github.com/alecthomas/kong"
	"github.com/fanfare-go/fanfare/cmd/chat/config"
)

// check is the command that says whether a server would start with these options, and
// a running one take them on at SIGHUP.
type check struct {
	config.Config
}

// Run reads every file that the options name. What cannot be read is an error.
func (c *check) Run(line *kong.Context) error {
	p, err := newParts(&c.Config)
	if err != nil {
		return invalidOptions(err)
	}
	defer p.guard.Close()
	p.warnOfVariables(line)
	fmt.Fprintln(os.Stdout, "the configuration is valid")
	return nil
}

// printConfig is the command that shows what the options come to.
type printConfig struct {
	config.Config
}

// Run prints the options as a configuration file, secrets left out.
func (c *printConfig) Run(ctx *kong.Context) error {
	fmt.Fprintln(os.Stdout, "# What the flags, the environment and the file come to. A line that begins with # is a\n# default, or a secret.")
	return config.Print(os.Stdout, config.List(ctx))
}
