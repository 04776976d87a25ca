package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// Set by a release, with -ldflags "-X main.version=v1.2.3 …"; otherwise it is what the Go
// tool wrote into the program.
var version, revision, date string

// build is what runs.
type build struct {
	Version, Revision, Date, Go, System string
	Modified                            bool // it is not what the revision says
}

func readBuild() build {
	b := build{Version: version, Revision: revision, Date: date, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.Version = cmp.Or(b.Version, info.Main.Version)
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				b.Revision = cmp.Or(b.Revision, s.Value)
			case "vcs.time":
				b.Date = cmp.Or(b.Date, s.Value)
			case "vcs.modified":
				b.Modified = s.Value == "true"
			}
		}
	}
	b.Version, b.Revision, b.Date = cmp.Or(b.Version, "(devel)"), cmp.Or(b.Revision, "unknown"), cmp.Or(b.Date, "unknown")
	return b
}

func (b build) print(w io.Writer) {
	revision := b.Revision
	if b.Modified {
		revision += " and changes to it"
	}
	fmt.Fprintf(w, "chat %s\nrevision: %s\ndate:     %s\ngo:       %s\nsystem:   %s\n", b.Version, revision, b.Date, b.Go, b.System)
}

// showVersion is the command "version".
type showVersion struct{}

// Run prints what runs.
func (showVersion) Run() error {
	readBuild().print(os.Stdout)
	return nil
}

// versionFlag is the same as a flag.
type versionFlag bool

// BeforeReset is kong's hook: nothing else matters then, not even what is wrong with it.
func (versionFlag) BeforeReset(k *kong.Kong) error {
	readBuild().print(k.Stdout)
	k.Exit(0)
	return nil
}
