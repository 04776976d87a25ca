package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// What --cluster-store is, other than a folder.
const (
	StoreFile   = "file"
	StoreMemory = "memory"
)

// Embedded is the broker that runs within the program.
const Embedded = "embedded"

// Cluster is what connects this server with others that are one chat with it.
type Cluster struct {
	Cluster            string   `secret:"url" placeholder:"embedded|redis://…|nats://…" help:"What connects this server with others: NATS within the program, or the URL of a Redis or NATS server. Default: nothing, it is alone."`
	ClusterName        string   `placeholder:"NAME" help:"What those that belong together have in common where others use the same broker; default: socket.io with Redis, as Node's servers have it, else fanfare."`
	ClusterRedis       string   `name:"cluster-redis" enum:"classic,sharded,streams" default:"classic" help:"How servers talk through Redis: classic, sharded (Redis 7), or streams, which lose nothing and let clients recover at any server. All of them alike, Node's included."`
	ClusterListen      string   `default:":6222" help:"Address where the others' embedded NATS reaches this one's, or off for a server that only calls others."`
	ClusterAdvertise   string   `placeholder:"HOST:PORT" help:"Where the others reach it, if that is not the address it listens on."`
	ClusterSeeds       []string `placeholder:"HOST:PORT" help:"Some of the others, of an embedded cluster; the rest is learnt from them."`
	ClusterSecret      string   `secret:"" help:"Password that the servers of an embedded cluster show each other."`
	ClusterCredentials string   `type:"existingfile" placeholder:"FILE" help:"Credentials for an external NATS server."`
	ClusterTLSCert     string   `name:"cluster-tls-cert" type:"existingfile" placeholder:"FILE" help:"Certificate of this server in the cluster, PEM: connections between servers, or to NATS, are encrypted, and both sides are asked for theirs."`
	ClusterTLSKey      string   `name:"cluster-tls-key" type:"existingfile" placeholder:"FILE" help:"Key of that certificate, PEM."`
	ClusterTLSCA       string   `name:"cluster-tls-ca" type:"existingfile" placeholder:"FILE" help:"Certificates of who may sign the others', PEM; default: the system's."`
	ClusterNode        string   `placeholder:"NAME" help:"What this server is called among the others; default: the machine's name and the port. With --cluster-store it must stay the same."`
	ClusterStore       string   `placeholder:"DIR|file|memory" help:"Experimental. Has NATS keep what is said (JetStream), for clients to recover at any server: in a folder of this server's own where NATS is embedded, and its address stands in --cluster-seeds, too; in files or in memory of a NATS that is elsewhere. Default: it does not."`
	ClusterCopies      int      `default:"1" help:"On how many servers of NATS that is kept: 1, 3 or 5."`
	ClusterSticky      bool     `help:"The balancer keeps each client at its server. By default servers pass on requests that reach the wrong one."`
}

func (c *Cluster) validate() error {
	switch kind := c.Kind(); {
	case kind == "" && c.Cluster != "":
		return errors.New("--cluster: give embedded, or the URL of a broker: redis://, rediss:// (TLS) or nats:// and host:port")
	case kind != Embedded && (len(c.ClusterSeeds) > 0 || c.ClusterSecret != "" || c.ClusterAdvertise != ""):
		return errors.New("--cluster-seeds, --cluster-secret and --cluster-advertise are for --cluster=embedded")
	case kind != "nats" && c.ClusterCredentials != "":
		return errors.New("--cluster-credentials is for NATS at a URL: --cluster=nats://host:4222")
	case kind != "nats" && kind != Embedded && c.ClusterStore != "":
		return errors.New("--cluster-store is for NATS; with Redis, --cluster-redis=streams does as much")
	case kind == "nats" && c.ClusterStore != "" && c.ClusterStore != StoreFile && c.ClusterStore != StoreMemory:
		return errors.New("--cluster-store: with NATS at a URL give file or memory; where, is up to that NATS")
	case kind == Embedded && (c.ClusterStore == StoreFile || c.ClusterStore == StoreMemory):
		return errors.New("--cluster-store: with --cluster=embedded give a folder of this server's own")
	case kind == Embedded && c.ClusterStore != "" && len(c.ClusterSeeds) == 0:
		return errors.New("--cluster-store: servers that keep something must know each other from the start: name them all with --cluster-seeds")
	case (c.ClusterTLSCert == "") != (c.ClusterTLSKey == ""):
		return errors.New("--cluster-tls-cert and --cluster-tls-key belong together: give both, or none")
	case !slices.Contains([]int{1, 3, 5}, c.ClusterCopies):
		return errors.New("--cluster-copies must be 1, 3 or 5: of an odd number most are a majority")
	case strings.ContainsAny(c.ClusterName, " \t\r\n*>?[]\\") || len(c.ClusterName) > 64:
		return errors.New("--cluster-name must be a plain name: no spaces, none of *>?[]\\, 64 characters at most")
	}
	return errors.Join(c.validateSeeds(), c.validateOpen())
}

func (c *Cluster) validateSeeds() error {
	for _, seed := range c.ClusterSeeds {
		if host, port, err := net.SplitHostPort(seed); err != nil || host == "" || port == "" {
			return fmt.Errorf("--cluster-seeds %q: give host:port, such as 10.0.0.2:6222", seed)
		}
	}
	return nil
}

// validateOpen wants a secret where strangers may reach the port of an embedded cluster.
func (c *Cluster) validateOpen() error {
	if c.Kind() != Embedded || c.ClusterListen == "off" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.ClusterListen)
	if err != nil {
		return fmt.Errorf("--cluster-listen %q: give host:port, such as :6222, or off", c.ClusterListen)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() || c.ClusterSecret != "" || c.ClusterTLSCert != "" {
		return nil
	}
	return errors.New("--cluster=embedded lets anybody in who reaches " + c.ClusterListen + ": give all servers the same --cluster-secret (or FANFARE_CLUSTER_SECRET), certificates, or a loopback address with --cluster-listen")
}

// Kind is "", Embedded, "redis" or "nats".
func (c *Cluster) Kind() string {
	if c.Cluster == Embedded {
		return Embedded
	}
	u, err := url.Parse(c.Cluster)
	if err != nil || u.Host == "" && u.Scheme != "unix" {
		return ""
	}
	switch u.Scheme {
	case "redis", "rediss", "unix":
		return "redis"
	case "nats", "tls", "ws", "wss":
		return "nats"
	}
	return ""
}
