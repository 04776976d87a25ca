// Package config is what an operator may set: one struct, which is the command line, the
// environment, the file and the documentation of each. A flag wins over a variable,
// that over the file, that over the default.
//
//	--ping-interval=25s           # a flag
//	FANFARE_PING_INTERVAL=25s     # its variable
//	ping-interval: 25s            # its line in the file that --config names (YAML)
//
// Each group of options has a file of its own: its fields, what makes them invalid, and
// what to do about that. A field's tags are kong's, and two of our own: `secret:""` is
// not to be printed, `reload:""` takes effect on SIGHUP.
package config
