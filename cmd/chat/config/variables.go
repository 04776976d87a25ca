package config

import (
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// UnknownVariables are those of the environment that look like options, and are none: a
// typing mistake, most likely.
func UnknownVariables(ctx *kong.Context) (names []string) {
	known := variablesOf(ctx.Model.Node)
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, prefix) && !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// variablesOf are those of a command and of the commands below it.
func variablesOf(n *kong.Node) (names []string) {
	for _, f := range n.Flags {
		names = append(names, f.Envs...)
	}
	for _, child := range n.Children {
		names = append(names, variablesOf(child)...)
	}
	return names
}
