package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/fanfare-go/fanfare/cmd/chat/config"
)

// parse reads a command line as a program would that has one command.
func parse(t *testing.T, args ...string) (*config.Config, []config.Option, error) {
	t.Helper()
	var c struct {
		Run struct{ config.Config } `cmd:"" default:"withargs"`
	}
	p, err := kong.New(&c, config.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := p.Parse(args)
	if err != nil {
		return nil, nil, err
	}
	return &c.Run.Config, config.List(ctx), nil
}

func mustParse(t *testing.T, args ...string) (*config.Config, []config.Option) {
	t.Helper()
	c, options, err := parse(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	return c, options
}

func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "fanfare.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFlagWinsOverAVariableOverTheFileOverTheDefault(t *testing.T) {
	path := write(t, "port: 1\nhost: from-file\naccept-rate: 7\norigin: [https://a.example, https://b.example]\n")
	t.Setenv("FANFARE_HOST", "from-variable")
	t.Setenv("FANFARE_ACCEPT_RATE", "8")
	c, _ := mustParse(t, "--config="+path, "--accept-rate=9")
	if c.Listen.Port != 1 || c.Listen.Host != "from-variable" || c.Clients.AcceptRate != 9 || c.Logging.LogFormat != "text" {
		t.Errorf("%+v %+v", c.Listen, c.Clients)
	}
	if want := []string{"https://a.example", "https://b.example"}; !slices.Equal(c.Listen.Origin, want) {
		t.Errorf("a list from the file: %q", c.Listen.Origin)
	}
}

func TestTheFileMayBeNamedByAVariable(t *testing.T) {
	t.Setenv("FANFARE_CONFIG", write(t, "port: 4711"))
	if c, _ := mustParse(t); c.Listen.Port != 4711 {
		t.Error(c.Listen.Port)
	}
}

func TestAFileThatIsWrongSaysWhat(t *testing.T) {
	for text, want := range map[string]string{
		"prot: 1\nhots: x":        "hots, prot",
		"port: seventeen":         "port",
		"port: 70000":             "70000",
		"port: [1":                "yaml",
		"- port":                  "yaml",
		"log-level: loud":         "loud",
		"log-format: xml":         "xml",
		"ping-interval: 25":       "unit",
		"origin: [example.com]":   "not an origin",
		"port: 1\nport: 2":        "already defined",
		"tls-cert: /does/not/be":  "tls-cert",
		"max-connections: -1":     "--max-connections",
		"accept-burst: 3":         "--accept-rate",
		"config: other.yaml":      "config",
		"port: {number: 1}":       "port",
		"client-files: /nowhere/": "client-files",
	} {
		_, _, err := parse(t, "--config="+write(t, text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
	if _, _, err := parse(t, "--config=/does/not/exist.yaml"); err == nil || !strings.Contains(err.Error(), "exist.yaml") {
		t.Error(err)
	}
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, _, err := parse(t, "--port=-1", "--accept-burst=3")
	for _, want := range []string{"--port", "--accept-burst"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s in it", err, want)
		}
	}
}

func TestEveryFlagHasItsVariableAndAUnitOrAnExample(t *testing.T) {
	_, options := mustParse(t)
	if len(options) < 14 {
		t.Fatalf("%d options", len(options))
	}
	for _, o := range options {
		if !strings.HasSuffix(o.Help, ".") {
			t.Errorf("--%s is described by %q, which is no sentence", o.Name, o.Help)
		}
		if o.Group == "" {
			t.Errorf("--%s belongs to no group", o.Name)
		}
	}
}

func TestWhatIsPrintedIsAFileThatMeansTheSame(t *testing.T) {
	_, options := mustParse(t, "--port=8080", "--origin=https://a.example,https://b.example", "--ping-interval=1m30s", "--log-level=debug")
	var b bytes.Buffer
	if err := config.Print(&b, options); err != nil {
		t.Fatal(err)
	}
	_, again := mustParse(t, "--config="+write(t, b.String()))
	for i, o := range options {
		if !reflect.DeepEqual(o.Value, again[i].Value) || o.Default != again[i].Default {
			t.Errorf("--%s: %v (default: %v), read again %v (%v)", o.Name, o.Value, o.Default, again[i].Value, again[i].Default)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	var b bytes.Buffer
	err := config.Print(&b, []config.Option{
		{Name: "key", Help: "A key.", Value: "hunter2", Secret: true},
		{Name: "keys", Help: "Keys.", Value: []string{"hunter2"}, Secret: true},
		{Name: "none", Help: "None.", Value: "", Secret: true},
		{Name: "backend", Help: "A URL.", Value: "https://me:hunter2@b.example/?token=hunter2"},
		{Name: "backends", Help: "URLs.", Value: []string{"https://b.example/?key=hunter2"}, Default: true},
	})
	if err != nil || strings.Contains(b.String(), "hunter2") || !strings.Contains(b.String(), "# key: (redacted)") ||
		!strings.Contains(b.String(), "\n# backend: https://me:(redacted)@b.example/?token=(redacted)\n") {
		t.Errorf("%v\n%s", err, &b)
	}
	if !strings.Contains(b.String(), `none: ""`) {
		t.Errorf("a secret that is not set looks as if it was:\n%s", &b)
	}
}

func TestChangesTellWhatNeedsARestart(t *testing.T) {
	_, before := mustParse(t)
	_, after := mustParse(t, "--port=1", "--log-level=debug", "--origin=https://a.example")
	reloaded, restart := config.Changes(before, after)
	if !slices.Equal(reloaded, []string{"origin", "log-level"}) || !slices.Equal(restart, []string{"port"}) {
		t.Errorf("%v, %v", reloaded, restart)
	}
	inEffect := config.Reloaded(before, after)
	if reloaded, restart := config.Changes(inEffect, after); len(reloaded) > 0 || !slices.Equal(restart, []string{"port"}) {
		t.Errorf("after the reload: %v, %v", reloaded, restart)
	}
}
