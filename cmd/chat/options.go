package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/fanfare-go/fanfare/engine"
)

// options is the command line; each flag may be an environment variable instead.
type options struct {
	Port            int           `env:"PORT" default:"3000" help:"TCP port of the page and of Socket.IO; 0 takes a free one."`
	Host            string        `env:"HOST" help:"Address to listen on; default: all."`
	Origin          []string      `env:"ORIGIN" default:"*" help:"Origins whose pages may connect, such as https://example.com, or * for all."`
	ClientFiles     string        `env:"CLIENT_FILES" type:"existingdir" placeholder:"DIR" help:"Folder with socket.io.min.js (client-dist of the npm package socket.io); default: the page loads it from Socket.IO's CDN."`
	TLSCert         string        `env:"TLS_CERT" name:"tls-cert" type:"existingfile" placeholder:"FILE" help:"Certificate with its chain, PEM: the port speaks https. Read again when it is replaced, and on SIGHUP."`
	TLSKey          string        `env:"TLS_KEY" name:"tls-key" type:"existingfile" placeholder:"FILE" help:"Key of the certificate, PEM."`
	Admin           string        `env:"ADMIN" default:"127.0.0.1:6060" help:"Address of profiles, metrics and health checks, or off."`
	MaxConnections  int           `env:"MAX_CONNECTIONS" help:"Most connections at a time; default: what the descriptor limit allows."`
	AcceptRate      int           `env:"ACCEPT_RATE" help:"Most new clients per second; others are told to come back later. Default: any number."`
	AcceptBurst     int           `env:"ACCEPT_BURST" help:"Most new clients at once after a quiet time; default: one second's worth."`
	PingInterval    time.Duration `env:"PING_INTERVAL" default:"25s" help:"Time between heartbeats."`
	PingTimeout     time.Duration `env:"PING_TIMEOUT" default:"20s" help:"How long the answer to a heartbeat may take."`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" default:"10s" help:"How long a graceful stop may take."`
	LogLevel        slog.Level    `env:"LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
	LogFormat       string        `env:"LOG_FORMAT" default:"text" enum:"text,json" help:"text or json."`
}

const description = `A chat edge server: everybody receives what anybody writes.

Open the URL it prints, or connect with any Socket.IO client: emit "chatMessage", listen to "reply".`

// parse reads the command line, and ends the program where it is wrong.
func parse(args []string) *options {
	o := new(options)
	p := kong.Must(o, kong.Name("chat"), kong.Description(description), kong.UsageOnError())
	_, err := p.Parse(args)
	p.FatalIfErrorf(err)
	return o
}

// Validate is kong's hook: it says what to do about values no server can use.
func (o *options) Validate() error {
	if o.Port < 0 || o.Port > 65535 {
		return fmt.Errorf("--port must be between 0 and 65535, not %d", o.Port)
	}
	if o.MaxConnections < 0 {
		return errors.New("--max-connections must not be negative; leave it out for what the descriptor limit allows")
	}
	if (o.TLSCert == "") != (o.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key belong together: give both, or none for plain http")
	}
	if o.AcceptRate < 0 || o.AcceptBurst < 0 {
		return errors.New("--accept-rate and --accept-burst must not be negative; leave them out for no limit")
	}
	if o.AcceptBurst > 0 && o.AcceptRate == 0 {
		return errors.New("--accept-burst does nothing without --accept-rate")
	}
	if o.PingInterval <= 0 || o.PingTimeout <= 0 || o.ShutdownTimeout <= 0 {
		return errors.New("--ping-interval, --ping-timeout and --shutdown-timeout must be more than 0, such as 25s")
	}
	for _, origin := range o.Origin {
		if err := checkOrigin(origin); err != nil {
			return err
		}
	}
	return checkClientFiles(o.ClientFiles)
}

// checkOrigin accepts what browsers send as Origin (RFC 6454), and "*". Whatever
// else looks like an origin would never match, and leave its owner wondering.
func checkOrigin(origin string) error {
	if origin == "*" {
		return nil
	}
	u, err := url.Parse(origin)
	switch {
	case err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin:
		return fmt.Errorf("--origin %q is not an origin: give scheme and host without a path, such as https://example.com or http://localhost:8080, or * for all", origin)
	case strings.Contains(u.Host, "*"):
		return fmt.Errorf("--origin %q is a pattern: name each origin, separated by commas, or give * for all", origin)
	case origin != strings.ToLower(origin):
		return fmt.Errorf("--origin %q would never match: browsers send lower case, %s", origin, strings.ToLower(origin))
	case u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443":
		return fmt.Errorf("--origin %q would never match: browsers leave the default port out, %s://%s", origin, u.Scheme, strings.TrimSuffix(u.Host, ":"+u.Port()))
	}
	return nil
}

// checkClientFiles wants the file that the page loads.
func checkClientFiles(folder string) error {
	if folder == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(folder, clientFile)); err != nil {
		return fmt.Errorf("--client-files %s has no %s: give the folder client-dist of the npm package socket.io, or dist of socket.io-client", folder, clientFile)
	}
	return nil
}

func (o *options) address() string { return net.JoinHostPort(o.Host, strconv.Itoa(o.Port)) }

// url is what to open in a browser.
func (o *options) url(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsUnspecified() || ip.IsLoopback() {
		host = "localhost"
	}
	scheme := "http"
	if o.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}

// advise adds to an error of Listen which flag helps.
func advise(err error, o *options) error {
	switch {
	case errors.Is(err, engine.ErrAddressInUse):
		return fmt.Errorf("port %d is in use: stop the other server, or choose another port with --port or PORT (%w)", o.Port, err)
	case errors.Is(err, engine.ErrDescriptorLimit):
		return fmt.Errorf("%w, then start again", err)
	}
	var op *net.OpError
	if errors.As(err, &op) && strings.Contains(err.Error(), "permission denied") {
		return fmt.Errorf("%w: ports below 1024 need privileges, choose another with --port", err)
	}
	if o.Host != "" {
		return fmt.Errorf("cannot listen on %s: give an address of this machine with --host or HOST, or leave it out (%w)", o.Host, err)
	}
	return err
}
