package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"

	"github.com/alecthomas/kong"
)

// Option is one flag and what it was set to.
type Option struct {
	Name    string
	Help    string
	Group   string // the title in the usage
	Value   any    // a string, a list of them, an int or a bool
	Default bool   // nobody set it
	Secret  bool   // not to be printed
	Reload  bool   // SIGHUP may change it

	secretURL bool // Secret, but only where it is a URL
}

// List returns the options of the command that was parsed, in the order of the usage.
func List(ctx *kong.Context) (all []Option) {
	for _, f := range flagsOf(ctx) {
		if f.Name == "help" || f.Name == "config" {
			continue
		}
		o := Option{
			Name: f.Name, Help: f.Help, Value: plain(f.Target), Default: isDefault(ctx, f),
			Secret: f.Tag.Has("secret"), Reload: f.Tag.Has("reload"),
			secretURL: f.Tag.Get("secret") == "url",
		}
		if f.Group != nil {
			o.Group = f.Group.Title
		}
		all = append(all, o)
	}
	return all
}

func flagsOf(ctx *kong.Context) []*kong.Flag {
	if ctx.Selected() == nil {
		return nil
	}
	return ctx.Selected().Flags
}

// isDefault reports that neither flag, variable nor file have it.
func isDefault(ctx *kong.Context, f *kong.Flag) bool {
	set := slices.ContainsFunc(ctx.Path, func(p *kong.Path) bool { return p.Flag == f })
	return !set && !inEnvironment(f)
}

// plain is a value as the file has it.
func plain(v reflect.Value) any {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return ""
	}
	switch x := v.Interface().(type) {
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			return err.Error()
		}
		return string(text)
	case fmt.Stringer:
		return x.String()
	case []string:
		return x
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Slice:
		words := make([]string, v.Len())
		for i := range words {
			words[i] = fmt.Sprint(plain(v.Index(i)))
		}
		return words
	}
	return v.Interface()
}

// Changes are the names of the options in which two lists of the same command differ:
// those that SIGHUP may change, and those that need a restart.
func Changes(before, after []Option) (reloaded, restart []string) {
	for i, o := range after {
		switch {
		case i < len(before) && before[i].Name == o.Name && reflect.DeepEqual(before[i].Value, o.Value):
		case o.Reload:
			reloaded = append(reloaded, o.Name)
		default:
			restart = append(restart, o.Name)
		}
	}
	return reloaded, restart
}

// Reloaded are the options in effect after SIGHUP: the newer ones where it may change them.
func Reloaded(before, after []Option) []Option {
	all := slices.Clone(before)
	for i := range all {
		if i < len(after) && after[i].Name == all[i].Name && all[i].Reload {
			all[i] = after[i]
		}
	}
	return all
}
