package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSharesAddUpAndAreEven(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := small()
		o.Connections = rapid.IntRange(1, 1_000_000).Draw(t, "connections")
		o.PerProcess = rapid.IntRange(0, 16_000).Draw(t, "per process")
		p, err := newPlan(o, &machine{descriptors: 20_000})
		if err != nil {
			t.Fatal(err)
		}
		most := o.PerProcess
		if most == 0 {
			most = 20_000
		}
		sum := 0
		for _, share := range p.shares {
			sum += share
			if share > most || share < o.Connections/p.processes {
				t.Fatal(p.shares)
			}
		}
		if sum != o.Connections || len(p.shares) != p.processes {
			t.Fatal(p.shares)
		}
	})
}

func TestAMachineThatIsTooSmallIsSaid(t *testing.T) {
	o := small()
	o.Connections, o.PerProcess = 200_000, 0
	roomy := machine{memory: 24 << 30, descriptors: 20_000, files: 1 << 20, watches: 1 << 20, tracked: 1 << 20, backlog: 4096, ports: 28_000}
	for _, c := range []struct {
		name  string
		small func(*machine)
		want  string
	}{
		{"roomy", func(*machine) {}, ""},
		{"unknown", func(m *machine) { *m = machine{descriptors: m.descriptors} }, ""},
		{"memory", func(m *machine) { m.memory = 1 << 30 }, "this machine has 1024 MiB of memory, the run needs 2"},
		{"files", func(m *machine) { m.files = 300_000 }, "raise fs.file-max"},
		{"watches", func(m *machine) { m.watches = 300_000 }, "raise fs.epoll.max_user_watches"},
		{"firewall", func(m *machine) { m.tracked = 100_000 }, "raise net.netfilter.nf_conntrack_max"},
		{"backlog", func(m *machine) { m.backlog = 8 }, "raise net.core.somaxconn"},
		{"ports", func(m *machine) { m.ports = 100 }, "widen net.ipv4.ip_local_port_range"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := roomy
			c.small(&m)
			p, err := newPlan(o, &m)
			if err != nil {
				t.Fatal(err)
			}
			err = m.check(o, p)
			if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n")) {
				t.Fatal(err)
			}
		})
	}
}

func TestADescriptorLimitThatIsTooLowIsSaid(t *testing.T) {
	if _, err := newPlan(small(), &machine{descriptors: 100}); err == nil || !strings.Contains(err.Error(), "ulimit -n") {
		t.Fatal(err)
	}
	o := small()
	o.PerProcess = 30_000
	if _, err := newPlan(o, &machine{descriptors: 20_000}); err == nil || !strings.Contains(err.Error(), "--per-process 30000") {
		t.Fatal(err)
	}
}

func TestListsOfCPUs(t *testing.T) {
	for list, want := range map[string][]int{"": nil, "3": {3}, "0,2-4": {0, 2, 3, 4}} {
		if got, err := parseCPUs(list); err != nil || !slices.Equal(got, want) {
			t.Error(list, got, err)
		}
	}
	for _, list := range []string{"x", "1-", "3-2", "-1", "0,,1", "5000"} {
		if got, err := parseCPUs(list); err == nil {
			t.Error(list, got)
		}
	}
}

func TestValuesThatMakeNoSenseAreRefused(t *testing.T) {
	if err := small().Validate(); err != nil {
		t.Fatal(err)
	}
	for flag, spoil := range map[string]func(*options){
		"--connections":   func(o *options) { o.Connections = 0 },
		"--per-process":   func(o *options) { o.PerProcess = -1 },
		"--payload":       func(o *options) { o.Payload = 5 },
		"--ping-interval": func(o *options) { o.PingInterval = 0 },
		"--hold":          func(o *options) { o.Hold = -time.Second },
		"a list of CPUs":  func(o *options) { o.ClientCPUs = "all" },
	} {
		o := small()
		spoil(o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), flag) {
			t.Error(flag, err)
		}
	}
}
