package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// options is the command line.
type options struct {
	Connections  int           `default:"200000" help:"Connections in all."`
	PerProcess   int           `placeholder:"N" help:"Most connections per process; default: what the descriptor limit allows."`
	Rounds       int           `default:"5" help:"Broadcasts of each server."`
	Payload      int           `default:"128" help:"Bytes of text in a message."`
	Together     bool          `help:"All servers broadcast at once; default: one after the other."`
	Cluster      string        `placeholder:"embedded|redis://…" help:"Makes the servers one, so that each broadcast goes to all connections; default: each is alone."`
	Hold         time.Duration `default:"30s" help:"How long all connections are held before the first broadcast, heartbeats answered."`
	Dialing      int           `default:"16" help:"Handshakes under way at a time, per client process."`
	PingInterval time.Duration `default:"25s" help:"The servers' heartbeat; the default is the library's."`
	Patience     time.Duration `default:"1m" help:"How long nothing may happen before the run has failed."`
	ServerCPUs   string        `placeholder:"LIST" help:"CPUs of the servers, such as 0,2-3; default: the first half."`
	ClientCPUs   string        `placeholder:"LIST" help:"CPUs of the clients; default: the other half."`
}

const description = `Holds very many Socket.IO connections on one machine and broadcasts to all of them.`

// Validate is kong's hook.
func (o *options) Validate() error {
	switch {
	case o.Connections < 1 || o.Rounds < 1 || o.Dialing < 1:
		return errors.New("--connections, --rounds and --dialing must be at least 1")
	case o.PerProcess < 0:
		return errors.New("--per-process must not be negative; leave it out for what the descriptor limit allows")
	case o.Payload < sequenceWidth || o.Payload > 60_000:
		return fmt.Errorf("--payload must be between %d, a sequence number, and 60000", sequenceWidth)
	case o.Together && o.Cluster != "":
		return errors.New("--together is for servers that are alone, without --cluster")
	case o.Hold < 0 || o.PingInterval <= 0 || o.Patience <= 0:
		return errors.New("--ping-interval and --patience must be more than 0, such as 25s, and --hold not negative")
	}
	for _, list := range []string{o.ServerCPUs, o.ClientCPUs} {
		if _, err := parseCPUs(list); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	becomeChild()
	o := new(options)
	p := kong.Must(o, kong.Name("scale"), kong.Description(description))
	_, err := p.Parse(os.Args[1:])
	p.FatalIfErrorf(err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

// measure runs and prints what came of it, which may be less than was asked for.
func measure(ctx context.Context, o *options) error {
	r, err := run(ctx, o, os.Stderr)
	if r != nil {
		r.Command = strings.Join(append([]string{"go run ./bench/scale"}, os.Args[1:]...), " ")
		err = errors.Join(err, r.write(os.Stdout))
	}
	return err
}
