package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// prefix of every option's variable.
const prefix = "FANFARE_"

// Options are what a kong parser needs for commands that embed a Config.
func Options() []kong.Option {
	return []kong.Option{
		kong.Configuration(readFile),
		kong.PostBuild(func(k *kong.Kong) error { nameVariables(k.Model.Node); return nil }),
	}
}

// nameVariables gives each flag its variable, before those that it has.
func nameVariables(n *kong.Node) {
	for _, f := range n.Flags {
		if name := variable(f.Name); f.Name != "help" && f.Name != "version" && !slices.Contains(f.Envs, name) {
			f.Envs = append([]string{name}, f.Envs...)
			f.Tag.Envs = f.Envs
		}
	}
	for _, child := range n.Children {
		nameVariables(child)
	}
}

// variable is the environment's name of a flag.
func variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// inEnvironment reports that one of the flag's variables is set.
func inEnvironment(f *kong.Flag) bool {
	return slices.ContainsFunc(f.Envs, func(name string) bool { _, set := os.LookupEnv(name); return set })
}

// fromEnvironment is the first of the flag's variables that is set.
func fromEnvironment(f *kong.Flag) string {
	for _, name := range f.Envs {
		if value, set := os.LookupEnv(name); set {
			return value
		}
	}
	return ""
}

// File is the flag that names a file with options; each is a line of it.
type File string

// BeforeResolve is kong's hook: it reads the file.
func (f File) BeforeResolve(k *kong.Kong, ctx *kong.Context, trace *kong.Path) error {
	path, _ := ctx.FlagValue(trace.Flag).(File)
	if path == "" { // it is a variable that names the file
		path = File(kong.ExpandPath(fromEnvironment(trace.Flag)))
	}
	r, err := k.LoadConfig(string(path))
	if err != nil {
		return fmt.Errorf("--config %s: %w", path, err)
	}
	ctx.AddResolver(r)
	return nil
}
