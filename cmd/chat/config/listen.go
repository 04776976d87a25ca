package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fanfare-go/fanfare/engine"
)

// ClientFile is the official client, in the npm package's folder and below /socket.io/.
const ClientFile = "socket.io.min.js"

// Listen is where the program is found, and by whom.
type Listen struct {
	Port        int      `env:"PORT" default:"3000" help:"TCP port of the page and of Socket.IO; 0 takes a free one."`
	Host        string   `env:"HOST" help:"Address to listen on; default: all."`
	Origin      []string `env:"ORIGIN" default:"*" reload:"" help:"Origins whose pages may connect, such as https://example.com, or * for all."`
	ClientFiles string   `env:"CLIENT_FILES" type:"existingdir" placeholder:"DIR" help:"Folder with socket.io.min.js (client-dist of the npm package socket.io); default: the page loads it from Socket.IO's CDN."`
	TLSCert     string   `env:"TLS_CERT" name:"tls-cert" type:"existingfile" placeholder:"FILE" help:"Certificate with its chain, PEM: the port speaks https. Read again when it is replaced, and on SIGHUP."`
	TLSKey      string   `env:"TLS_KEY" name:"tls-key" type:"existingfile" placeholder:"FILE" help:"Key of the certificate, PEM."`
	Admin       string   `env:"ADMIN" default:"127.0.0.1:6060" help:"Address of profiles, metrics and health checks, or off."`
}

func (l *Listen) validate() error {
	if l.Port < 0 || l.Port > 65535 {
		return fmt.Errorf("--port must be between 0 and 65535, not %d", l.Port)
	}
	if (l.TLSCert == "") != (l.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key belong together: give both, or none for plain http")
	}
	for _, origin := range l.Origin {
		if err := checkOrigin(origin); err != nil {
			return err
		}
	}
	return checkClientFiles(l.ClientFiles)
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
	if _, err := os.Stat(filepath.Join(folder, ClientFile)); err != nil {
		return fmt.Errorf("--client-files %s has no %s: give the folder client-dist of the npm package socket.io, or dist of socket.io-client", folder, ClientFile)
	}
	return nil
}

// Address is what to listen on, host and port.
func (l *Listen) Address() string { return net.JoinHostPort(l.Host, strconv.Itoa(l.Port)) }

// URL is what to open in a browser.
func (l *Listen) URL(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsUnspecified() || ip.IsLoopback() {
		host = "localhost"
	}
	scheme := "http"
	if l.TLSCert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}

// Advise adds to an error of Listen which flag helps.
func (l *Listen) Advise(err error) error {
	switch {
	case errors.Is(err, engine.ErrAddressInUse):
		return fmt.Errorf("port %d is in use: stop the other server, or choose another port with --port or PORT (%w)", l.Port, err)
	case errors.Is(err, engine.ErrDescriptorLimit):
		return fmt.Errorf("%w, then start again", err)
	}
	var op *net.OpError
	if errors.As(err, &op) && strings.Contains(err.Error(), "permission denied") {
		return fmt.Errorf("%w: ports below 1024 need privileges, choose another with --port", err)
	}
	if l.Host != "" {
		return fmt.Errorf("cannot listen on %s: give an address of this machine with --host or HOST, or leave it out (%w)", l.Host, err)
	}
	return err
}
