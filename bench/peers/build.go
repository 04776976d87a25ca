package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// build is what runs are made from: programs in a folder of their own.
type build struct {
	module  string // folder of this module
	folder  string // of the programs
	loadgen string // program
}

// Faults of the machine, found before anything is run.
var (
	errNotHere = errors.New("peers: start me in the folder bench/peers, such as with `go -C bench/peers run .`")
	errNoNode  = errors.New("peers: node is not installed: install Node 18 or newer, or leave it out: --only " + strings.Join(names(withoutNode(everyone)), ","))
	errNoNPM   = errors.New("peers: npm is not installed, and the packages of package.json are missing: install npm, or run `npm ci` here")
)

func withoutNode(peers []peer) []peer {
	return slices.DeleteFunc(slices.Clone(peers), func(p peer) bool { return p.name == nodeJS })
}

// newBuild checks what the peers need and compiles them into a temporary folder that
// remove removes.
func newBuild(module string, peers []peer) (*build, error) {
	if _, err := os.Stat(filepath.Join(module, "servers")); err != nil {
		return nil, errNotHere
	}
	if len(withoutNode(peers)) < len(peers) {
		if err := installNode(module); err != nil {
			return nil, err
		}
	}
	folder, err := os.MkdirTemp("", "fanfare-peers-")
	if err != nil {
		return nil, err
	}
	b := &build{module: module, folder: folder}
	if err := b.compile(peers); err != nil {
		b.remove()
		return nil, err
	}
	return b, nil
}

func (b *build) remove() { _ = os.RemoveAll(b.folder) }

func (b *build) compile(peers []peer) error {
	packages := []string{"build", "-o", b.folder + string(filepath.Separator)}
	for _, p := range withoutNode(peers) {
		packages = append(packages, "./servers/"+p.folder())
	}
	slices.Sort(packages[3:])
	if packages = slices.Compact(packages); len(packages) == 3 {
		return nil // Node alone
	}
	return command(b.module, "go", packages...)
}

// useLoadgen takes a program as the load client, or compiles the one in the module of
// the library.
func (b *build) useLoadgen(program string) error {
	if program == "" {
		b.loadgen = filepath.Join(b.folder, "loadgen")
		return command(filepath.Join(b.module, "..", ".."), "go", "build", "-o", b.loadgen, "./bench/loadgen")
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return fmt.Errorf("peers: -loadgen: %w", err)
	}
	b.loadgen = path
	return nil
}

// installNode installs package-lock.json where it has not been.
func installNode(module string) error {
	if _, err := exec.LookPath("node"); err != nil {
		return errNoNode
	}
	if _, err := os.Stat(filepath.Join(module, "node_modules", "socket.io", "package.json")); err == nil {
		return nil
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return errNoNPM
	}
	return command(module, "npm", "ci", "--no-audit", "--no-fund")
}

// command runs a program for its effect; the error has what it said.
func command(folder, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("peers: %s %s: %w\n%s", name, args[0], err, bytes.TrimSpace(out))
	}
	return nil
}
