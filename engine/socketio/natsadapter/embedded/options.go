package embedded

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Options configure a Server. The zero value of each field means its default.
type Options struct {
	// Name is what this server is called among those of its cluster, each of which needs
	// a name of its own; default: a random one. With JetStream it is needed, and must be
	// the same whenever the server is started again.
	Name string
	// ClusterName is the cluster's: servers of another name are refused. Default "fanfare".
	ClusterName string
	// ClusterListen is the address at which the other servers of the cluster find this
	// one, such as 10.0.0.1:6222; a port of 0 means any. Without it, and without Seeds,
	// the server is alone.
	ClusterListen string
	// ClusterAdvertise is the address that others are told, where ClusterListen is not
	// the one they can reach.
	ClusterAdvertise string
	// Seeds are addresses of other servers of the cluster (host:port). One that is there
	// suffices: they tell each other of the rest. Its own may be among them.
	Seeds []string
	// Username and Password are what servers of the cluster must know of each other. They
	// are never logged.
	Username, Password string
	// ClusterTLS secures the connections between the servers, which are both a client and
	// a server to each other: Certificates, RootCAs and ClientCAs are needed, and
	// ClientAuth should be tls.RequireAndVerifyClientCert.
	ClusterTLS *tls.Config

	// Listen is an address for other clients of NATS, such as 127.0.0.1:4222. Default: none;
	// this process needs no port to reach its server.
	Listen string
	// Token is what clients at Listen have to show. It is never logged.
	Token string
	// TLS secures Listen.
	TLS *tls.Config

	// MaxPayload is the longest message in bytes; default 1 MiB. natsadapter sends what is
	// longer in parts.
	MaxPayload int
	// MaxPending is how much may wait for one connection before it is cut; default 128 MiB.
	// What natsadapter has under way (Options.WindowBytes) must fit.
	MaxPending int64
	// PingInterval is how often servers of the cluster make sure of each other; default
	// 5 s. After two pings without an answer a connection is given up.
	PingInterval time.Duration
	// ReadyTimeout is how long Start waits; default 10 s.
	ReadyTimeout time.Duration

	// JetStream turns on what keeps messages; default: off.
	JetStream *JetStreamOptions

	// Logger gets warnings and errors of the server, those that are alike once a minute, and the
	// rest at slog.LevelDebug; default slog.Default().
	Logger *slog.Logger
}

// JetStreamOptions are about messages that are kept.
type JetStreamOptions struct {
	// StoreDir is a directory of this server's own, which should not be on the volume that
	// logs fill.
	StoreDir string
	// MaxMemory and MaxStore bound what is kept, in bytes; default 1 GiB each. What the
	// streams may keep must fit: see natsadapter.JetStreamOptions.
	MaxMemory, MaxStore int64
}

func (o Options) withDefaults() (Options, error) {
	setDefault(&o.ClusterName, "fanfare")
	setDefault(&o.MaxPayload, 1<<20)
	setDefault(&o.MaxPending, 128<<20)
	setDefault(&o.PingInterval, 5*time.Second)
	setDefault(&o.ReadyTimeout, 10*time.Second)
	setDefault(&o.Logger, slog.Default())
	if o.ClusterListen == "" && len(o.Seeds) > 0 {
		o.ClusterListen = "0.0.0.0:0"
	}
	switch {
	case (o.Username == "") != (o.Password == ""):
		return o, errors.New("embedded: a username and a password go together")
	case o.MaxPayload < 4096 || o.MaxPayload > 64<<20:
		return o, fmt.Errorf("embedded: MaxPayload of %d; it can be 4 KiB to 64 MiB", o.MaxPayload)
	case o.MaxPending < int64(o.MaxPayload):
		return o, errors.New("embedded: MaxPending is less than MaxPayload")
	case o.Listen != "" && o.Token == "":
		return o, errors.New("embedded: Listen needs a Token for clients to show")
	case o.JetStream != nil && o.Name == "":
		return o, errors.New("embedded: JetStream needs a Name that stays")
	case o.JetStream != nil && o.ClusterListen != "" && len(o.Seeds) == 0:
		return o, errors.New("embedded: JetStream in a cluster needs Seeds, of which its own address may be one")
	case o.JetStream != nil && o.JetStream.StoreDir == "":
		return o, errors.New("embedded: JetStream needs a StoreDir")
	}
	return o, nil
}

func setDefault[T comparable](field *T, otherwise T) {
	var zero T
	if *field == zero {
		*field = otherwise
	}
}

// server translates the options.
func (o *Options) server() (*server.Options, error) {
	s := &server.Options{
		ServerName: o.Name, NoSigs: true, NoLog: true, DontListen: o.Listen == "",
		CustomClientAuthentication: door{o.Token}, TLSConfig: o.TLS, TLS: o.TLS != nil, TLSTimeout: 5,
		MaxPayload: int32(o.MaxPayload), MaxPending: o.MaxPending, //nolint:gosec // at most 64 MiB
		DisableJetStreamBanner: true,
	}
	var err error
	if o.Listen != "" {
		if s.Host, s.Port, err = hostPort(o.Listen); err != nil {
			return nil, err
		}
	}
	if o.ClusterListen != "" {
		if s.Cluster, err = o.cluster(); err != nil {
			return nil, err
		}
	}
	for _, seed := range o.Seeds {
		if _, _, err := hostPort(seed); err != nil {
			return nil, err
		}
		u := &url.URL{Scheme: "nats", Host: seed}
		if o.Username != "" {
			u.User = url.UserPassword(o.Username, o.Password)
		}
		s.Routes = append(s.Routes, u)
	}
	if j := o.JetStream; j != nil {
		s.JetStream, s.StoreDir = true, j.StoreDir
		s.JetStreamMaxMemory, s.JetStreamMaxStore = j.MaxMemory, j.MaxStore
		setDefault(&s.JetStreamMaxMemory, 1<<30)
		setDefault(&s.JetStreamMaxStore, 1<<30)
	}
	return s, nil
}

func (o *Options) cluster() (server.ClusterOpts, error) {
	host, port, err := hostPort(o.ClusterListen)
	return server.ClusterOpts{
		Name: o.ClusterName, Host: host, Port: port, Advertise: o.ClusterAdvertise,
		Username: o.Username, Password: o.Password,
		TLSConfig: o.ClusterTLS, TLSTimeout: 5,
		PingInterval: o.PingInterval, MaxPingsOut: 2,
		WriteDeadline: 2 * o.PingInterval,
	}, err
}

// hostPort takes an address apart; NATS calls any port -1.
func hostPort(addr string) (host string, port int, err error) {
	host, p, err := net.SplitHostPort(addr)
	if err == nil {
		port, err = strconv.Atoi(p)
	}
	if err != nil || port < 0 || port > 65_535 {
		return "", 0, fmt.Errorf("embedded: %q is no address with a port", addr)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}
