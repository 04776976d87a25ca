package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// What one connection needs, in bytes, for the look ahead: generous, and measured on
// Linux 6.18 with Go 1.26 (README.md).
const (
	kernelNeed = 9 << 10  // both ends' sockets, inodes, files, epoll entries
	userNeed   = 2 << 10  // the server's resident growth, and the client's
	childNeed  = 24 << 20 // a process, before its first connection
)

// perSource is how many connections of one client process have the same address: it
// must leave connect some ports to choose from.
const perSource = 10_000

// machine is what bounds a run. A bound of 0 is unknown, or none.
type machine struct {
	memory      int64 // bytes that are available
	descriptors int   // of one process
	files       int64 // that may yet be opened, machine-wide
	watches     int64 // epoll entries of one user
	tracked     int64 // connections that a firewall may yet track
	backlog     int64 // connections that wait to be accepted, per server
	ports       int64 // local ports per source address
}

// thisMachine reads what the kernel says.
func thisMachine() (*machine, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return nil, fmt.Errorf("reading the descriptor limit: %w", err)
	}
	m := &machine{
		memory:      readSizes("/proc/meminfo")["MemAvailable"],
		descriptors: int(min(limit.Max, 1<<30)),
		watches:     firstNumber("/proc/sys/fs/epoll/max_user_watches"),
		backlog:     firstNumber("/proc/sys/net/core/somaxconn"),
	}
	if all := numbers("/proc/sys/fs/file-nr"); len(all) == 3 { // open, free, most
		m.files = all[2] - all[0]
	}
	if tracked := firstNumber("/proc/sys/net/netfilter/nf_conntrack_count"); tracked > 0 { // else it tracks nothing here
		m.tracked = firstNumber("/proc/sys/net/netfilter/nf_conntrack_max") - tracked
	}
	if ports := numbers("/proc/sys/net/ipv4/ip_local_port_range"); len(ports) == 2 {
		m.ports = ports[1] - ports[0] + 1
	}
	return m, nil
}

// check says, one line each, what of the machine would not bear the plan.
func (m *machine) check(o *options, p *plan) error {
	n, children := int64(o.Connections), int64(2*p.processes)
	most := int64(p.shares[0])
	for _, share := range p.shares {
		most = max(most, int64(share))
	}
	need := n*(kernelNeed+userNeed) + children*childNeed
	return errors.Join(
		tooFew(m.memory>>20, need>>20, "MiB of memory", "close other programs, or ask for fewer --connections"),
		tooFew(m.files, 2*n+children*spareDescriptors, "open files on the machine", "raise fs.file-max"),
		tooFew(m.watches, 2*n+children, "epoll entries of one user", "raise fs.epoll.max_user_watches"),
		tooFew(m.tracked, n, "connections that the firewall tracks", "raise net.netfilter.nf_conntrack_max"),
		tooFew(m.backlog, int64(o.Dialing), "connections waiting to be accepted", "raise net.core.somaxconn, or lower --dialing"),
		tooFew(m.ports, min(most, perSource), "local ports per address", "widen net.ipv4.ip_local_port_range"),
	)
}

func tooFew(have, need int64, of, remedy string) error {
	if have == 0 || have >= need {
		return nil
	}
	return fmt.Errorf("this machine has %d %s, the run needs %d: %s", have, of, need, remedy)
}

// readSizes reads lines such as "MemFree: 12 kB", in bytes.
func readSizes(file string) map[string]int64 {
	b, _ := os.ReadFile(file)
	sizes := make(map[string]int64)
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		if kb, ok := strings.CutSuffix(strings.TrimSpace(value), " kB"); ok {
			n, _ := strconv.ParseInt(kb, 10, 64)
			sizes[name] = n << 10
		}
	}
	return sizes
}

func numbers(file string) (all []int64) {
	b, _ := os.ReadFile(file)
	for f := range strings.FieldsSeq(string(b)) {
		n, _ := strconv.ParseInt(f, 10, 64)
		all = append(all, n)
	}
	return all
}

func firstNumber(file string) int64 {
	if all := numbers(file); len(all) > 0 {
		return all[0]
	}
	return 0
}
