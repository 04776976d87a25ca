package main

import (
	"context"
	"os"
	"syscall"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/pprof"
)

// What runs, how much of the process's descriptors it uses, and what only a walk tells.

func buildInfo() pprof.Metric {
	b := readBuild()
	return pprof.Metric{
		Name: "fanfare_build_info", Help: "What runs, in its labels; always 1.", Kind: pprof.Gauge,
		Const: map[string]string{"version": b.Version, "revision": b.Revision, "go": b.Go},
		Read:  func(emit func(string, float64)) { emit("", 1) },
	}
}

func openDescriptors() pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_open_fds_ratio", Help: "Open descriptors of the process, as a part of how many it may have; not there where the system does not tell.", Kind: pprof.Gauge,
		Read: func(emit func(string, float64)) {
			if ratio, ok := descriptors(); ok {
				emit("", ratio)
			}
		},
	}
}

// descriptors is the part in use; ok where the system tells, which is on Linux.
func descriptors() (ratio float64, ok bool) {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || limit.Cur == 0 {
		return 0, false
	}
	folder, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0, false
	}
	defer func() { _ = folder.Close() }()
	open, err := folder.Readdirnames(-1)
	return float64(len(open)-1) / float64(limit.Cur), err == nil // without the folder
}

func rooms(server *socketio.Server) pprof.Metric {
	return pprof.Metric{
		Name: "fanfare_rooms", Help: "Rooms with members, in all namespaces; beyond 4096 about 2 % off.", Kind: pprof.Gauge,
		Read: func(emit func(string, float64)) {
			if n, err := server.CountRooms(context.Background()); err == nil {
				emit("", float64(n))
			}
		},
	}
}

// directed is a metric of what is received, and what is sent.
func directed(server *socketio.Server, name, help string, received, sent func(socketio.Stats) uint64) pprof.Metric {
	return pprof.Metric{
		Name: name, Help: help, Kind: pprof.Counter, Label: "direction",
		Read: func(emit func(string, float64)) {
			st := server.Stats()
			emit("received", float64(received(st)))
			emit("sent", float64(sent(st)))
		},
	}
}
