package main

import (
	"fmt"
	"slices"
	"strings"
)

// What the load client speaks to a peer.
const (
	socketIO   = "socketio"
	raw        = "raw"
	centrifuge = "centrifuge"
)

// The peers that others are compared with.
const (
	bare       = "bare"       // the limit
	bareGnet   = "gnet"       // what this server is built on, without it
	nodeJS     = "node"       // the server that everybody knows
	zishang520 = "zishang520" // the other one for Go
)

// peer is a server to measure.
type peer struct {
	name    string
	server  string // folder below servers
	dialect string
	args    []string
	only    string // the one scenario it stands for; "" for all
}

// everyone, in the order of a round.
var everyone = []peer{
	{name: bare, dialect: raw},
	{name: bareGnet, dialect: raw},
	{name: nodeJS, dialect: socketIO},
	{name: zishang520, dialect: socketIO},
	{name: "centrifuge", dialect: centrifuge},
	{name: "gorilla", dialect: raw},
	{name: "gws", dialect: raw},
	{name: "nbio", dialect: raw},
	{name: "fanfare", dialect: socketIO},
	{name: "fanfare-inline", server: "fanfare", dialect: socketIO, args: []string{"-inline"}, only: echo},
}

// folder is where the source of the peer's server is, below servers.
func (p peer) folder() string {
	if p.server != "" {
		return p.server
	}
	return p.name
}

// in reports whether the peer takes part in a scenario, unless it was asked for by
// name.
func (p peer) in(scenario string) bool { return p.only == "" || p.only == scenario }

// choosePeers returns those of a comma-separated list, or everyone. A peer that is
// named takes part in every scenario.
func choosePeers(list string) ([]peer, error) {
	if list == "" {
		return everyone, nil
	}
	var chosen []peer
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(everyone, func(p peer) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("peers: --only: no peer %q; there are %s", name, strings.Join(names(everyone), ", "))
		}
		p := everyone[i]
		p.only = ""
		chosen = append(chosen, p)
	}
	return chosen, nil
}

func names(peers []peer) (all []string) {
	for _, p := range peers {
		all = append(all, p.name)
	}
	return all
}
