package config

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// file is the values of a configuration file, by the flag's name.
type file map[string]any

// readFile is kong's loader for YAML.
func readFile(r io.Reader) (kong.Resolver, error) {
	values := file{}
	if err := yaml.NewDecoder(r).Decode(&values); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return values, nil
}

// Validate is kong's hook. A line that nobody reads is a mistake, and its owner hears of it.
func (f file) Validate(app *kong.Application) error {
	known := flagNames(app.Node)
	var unknown []string
	for name := range f {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("the configuration file has options that do not exist: %s", strings.Join(unknown, ", "))
}

func flagNames(n *kong.Node) (names []string) {
	for _, f := range n.Flags {
		if f.Name != "config" && f.Name != "help" { // those belong to the call
			names = append(names, f.Name)
		}
	}
	for _, child := range n.Children {
		names = append(names, flagNames(child)...)
	}
	return names
}

// Resolve is kong's hook. It is asked for what the command line does not have.
func (f file) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := f[flag.Name]
	if !ok || inEnvironment(flag) {
		return nil, nil
	}
	if list, ok := value.([]any); ok {
		return joined(list), nil
	}
	return fmt.Sprint(value), nil
}

// joined is a list as kong reads it from one argument.
func joined(list []any) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = strings.ReplaceAll(fmt.Sprint(v), ",", `\,`)
	}
	return strings.Join(words, ",")
}
