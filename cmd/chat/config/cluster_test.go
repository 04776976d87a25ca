package config_test

import (
	"strings"
	"testing"
)

func TestClustersThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args []string
		want string // in the error; empty for none
	}{
		"alone":                     {nil, ""},
		"redis":                     {[]string{"--cluster=redis://10.0.0.1:6379"}, ""},
		"redis, encrypted":          {[]string{"--cluster=rediss://:pw@redis.example:6379/2", "--cluster-redis=streams"}, ""},
		"a NATS server":             {[]string{"--cluster=nats://10.0.0.1:4222"}, ""},
		"embedded, for itself":      {[]string{"--cluster=embedded", "--cluster-listen=127.0.0.1:0"}, ""},
		"embedded, among others":    {[]string{"--cluster=embedded", "--cluster-secret=0123456789", "--cluster-seeds=a:6222,b:6222"}, ""},
		"embedded, open":            {[]string{"--cluster=embedded"}, "--cluster-secret"},
		"a seed without a port":     {[]string{"--cluster=embedded", "--cluster-secret=x", "--cluster-seeds=a"}, "host:port"},
		"no broker":                 {[]string{"--cluster=kafka://10.0.0.1"}, "--cluster: give embedded"},
		"no URL":                    {[]string{"--cluster=localhost"}, "--cluster: give embedded"},
		"seeds of Redis":            {[]string{"--cluster=redis://h:1", "--cluster-seeds=a:1"}, "are for --cluster=embedded"},
		"a mode there is not":       {[]string{"--cluster=redis://h:1", "--cluster-redis=fast"}, "--cluster-redis must be one of"},
		"a folder at a URL":         {[]string{"--cluster=nats://h:1", "--cluster-store=/var/lib/x"}, "file or memory"},
		"a store for itself":        {[]string{"--cluster=embedded", "--cluster-listen=127.0.0.1:0", "--cluster-store=x"}, "--cluster-seeds"},
		"no folder to embed":        {[]string{"--cluster=embedded", "--cluster-listen=127.0.0.1:0", "--cluster-store=memory"}, "a folder"},
		"a store beside Redis":      {[]string{"--cluster=redis://h:1", "--cluster-store=memory"}, "--cluster-redis=streams"},
		"an even number of copies":  {[]string{"--cluster=nats://h:1", "--cluster-copies=2"}, "1, 3 or 5"},
		"a name with a star":        {[]string{"--cluster-name=a*"}, "plain name"},
		"a certificate, and no key": {[]string{"--cluster-tls-cert=cluster_test.go"}, "belong together"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := parse(t, tt.args...)
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
