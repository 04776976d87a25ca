package main_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// configured starts the program with a configuration file, whose path it returns.
func configured(t *testing.T, text string, args ...string) (p *process, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "fanfare.yaml")
	rewrite(t, path, text)
	return start(t, anywhere(append(args, "--config="+path)...)), path
}

func rewrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// reload sends SIGHUP and waits until the log says what came of it.
func (p *process) reload(want string) {
	p.t.Helper()
	before := strings.Count(p.log.String(), want)
	p.signal(syscall.SIGHUP)
	eventually(p.t, func() error {
		if strings.Count(p.log.String(), want) == before {
			return errors.New("the log does not say: " + want)
		}
		return nil
	})
}

func (p *process) requireOrigin(origin, allowed string) {
	p.t.Helper()
	if got := get(p.t, p.url+polling, "Origin", origin).Header.Get("Access-Control-Allow-Origin"); got != allowed {
		p.t.Errorf("%s is told %q, want %q", origin, got, allowed)
	}
}

func TestSIGHUPTakesOriginsAndTheLogLevelOn(t *testing.T) {
	p, path := configured(t, "origin: [https://a.example, https://b.example]\n")
	p.requireOrigin("https://b.example", "https://b.example")
	p.requireOrigin("https://c.example", "")
	socket := dialWebSocket(t, p.url)
	if strings.Contains(p.log.String(), "level=DEBUG") {
		t.Error("debug lines without being asked for")
	}

	rewrite(t, path, "origin: [https://a.example, https://c.example]\nlog-level: debug\nport: 1\n")
	p.reload("msg=\"the configuration was read again\" changed=\"[origin log-level]\"")
	p.requireOrigin("https://b.example", "")
	p.requireOrigin("https://c.example", "https://c.example")
	if strings.Contains(p.log.String(), "options=[port]") {
		t.Error("the flag for the port still wins over the file")
	}
	dialWebSocket(t, p.url)
	eventually(t, func() error {
		if !strings.Contains(p.log.String(), "level=DEBUG") {
			return errors.New("no debug lines")
		}
		return nil
	})
	_ = socket // was there all the time: its test is that nothing fails
	p.stop(syscall.SIGTERM)
}

func TestAnInvalidConfigurationChangesNothing(t *testing.T) {
	p, path := configured(t, "origin: [https://a.example, https://b.example]\n")
	for _, text := range []string{
		"origin: [https://c.example, not an origin]\nlog-level: debug\n",
		"origin: https://c.example\nlog-level: loud\n",
		"origins: https://c.example\n",
		"origin: [",
	} {
		rewrite(t, path, text)
		p.reload("the old configuration stays in use")
		p.requireOrigin("https://b.example", "https://b.example")
		p.requireOrigin("https://c.example", "")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	p.reload("the old configuration stays in use")
	p.requireOrigin("https://b.example", "https://b.example")
	p.stop(syscall.SIGTERM)
}

func TestWhatNeedsARestartIsNamed(t *testing.T) {
	p, path := configured(t, "ping-interval: 20s\n")
	rewrite(t, path, "ping-interval: 10s\nmax-connections: 5\n")
	p.reload("options=\"[max-connections ping-interval]\"")
	p.reload("options=\"[max-connections ping-interval]\"") // it still does
	p.stop(syscall.SIGTERM)
}
