package config

import (
	"errors"
	"reflect"
)

// Config is everything an operator may set. It is not changed after it was read.
type Config struct {
	File File `name:"config" env:"FANFARE_CONFIG" type:"existingfile" placeholder:"FILE" help:"File with options, YAML: a flag's name without the dashes, a colon, its value."`

	Listen   Listen   `embed:"" group:"Listening"`
	Clients  Clients  `embed:"" group:"Clients"`
	Chat     Chat     `embed:"" group:"Chat"`
	Recovery Recovery `embed:"" group:"Recovery"`
	History  History  `embed:"" group:"History"`
	Cluster  Cluster  `embed:"" group:"Cluster"`
	Limits   Limits   `embed:"" group:"Limits"`
	Proxies  Proxies  `embed:"" group:"Proxies"`
	Auth     Auth     `embed:"" group:"Authentication"`
	API      API      `embed:"" group:"Publishing API"`
	AdminUI  AdminUI  `embed:"" group:"Admin UI"`
	Drain    Drain    `embed:"" group:"Stopping"`
	Logging  Logging  `embed:"" group:"Logging"`
	Sockets  Sockets  `embed:"" group:"Logging"`
}

// validator is a group that knows what makes its values invalid.
type validator interface{ validate() error }

// Validate is kong's hook: what no server can use, all of it at once.
func (c *Config) Validate() error {
	var all []error
	v := reflect.ValueOf(c).Elem()
	for i := range v.NumField() {
		if group, ok := v.Field(i).Addr().Interface().(validator); ok {
			all = append(all, group.validate())
		}
	}
	all = append(all, c.Auth.validateOrigins(&c.Listen))
	return errors.Join(all...)
}
