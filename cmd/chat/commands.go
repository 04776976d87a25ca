package main

import (
	"github.com/alecthomas/kong"
	"github.com/fanfare-go/fanfare/cmd/chat/config"
)

const description = `A chat edge server: everybody receives what anybody writes.

Open the URL it prints, or connect with any Socket.IO client: emit "chatMessage", listen to "reply".`

// commands is the command line. Without a command, it serves.
type commands struct {
	ShowVersion versionFlag `name:"version" help:"Print what runs."`

	Serve       serve       `cmd:"" default:"withargs" help:"Serve the page and Socket.IO (the default)."`
	Check       check       `cmd:"" help:"Say whether a server would start with these options."`
	Version     showVersion `cmd:"" help:"Print what runs."`
	Emit        emit        `cmd:"" help:"Emit an event to the clients of a running server, by its API."`
	PrintConfig printConfig `cmd:"" help:"Print what flags, environment and file come to, as a file for --config; secrets are left out."`
	Health      health      `cmd:"" help:"Ask a running server how it is: exits 0 where it is well, else 1."`
	Token       token       `cmd:"" help:"Print a token, for a first try of --auth-secret-file."`

	HashPassword hashPassword `cmd:"" help:"Print the hash of a password, read from standard input, for --admin-ui-password-hash."`
}

// parser reads the command line, the environment and the file into c.
func parser(c *commands) *kong.Kong {
	return kong.Must(c, append(config.Options(), kong.Name("chat"), kong.Description(description),
		kong.ShortUsageOnError(), kong.Help(help))...)
}

// help shows the default command's flags with the commands: most people have no other use for them.
func help(o kong.HelpOptions, ctx *kong.Context) error {
	if app := ctx.Model.Node; ctx.Selected() == nil && app.DefaultCmd != nil {
		app.Flags = append(app.Flags, app.DefaultCmd.Flags...)
	}
	return kong.DefaultHelpPrinter(o, ctx)
}
