package main_test

import (
	"strings"
	"testing"
)

// wrongCommandLine is the exit code that users know from the usage text.
const wrongCommandLine = 80

func TestAWrongCommandLineSaysWhatToDo(t *testing.T) {
	notShort(t)
	tests := []struct {
		name   string
		c      command
		advice []string
	}{
		{"an unknown flag", anywhere("--colour=red"), []string{"--colour"}},
		{"an argument", anywhere("8080"), []string{"8080"}},
		{"a port that does not exist", anywhere("--port=70000"), []string{"--port", "65535", "70000"}},
		{"a negative port", anywhere("--port=-1"), []string{"--port", "65535"}},
		{"a port that is a word", anywhere("--port=http"), []string{"--port", "http"}},
		{"negative connections", anywhere("--max-connections=-1"), []string{"--max-connections", "negative"}},
		{"negative connections, in the environment", command{env: []string{"MAX_CONNECTIONS=-1"}}, []string{"--max-connections", "negative"}},
		{"a negative accept rate", anywhere("--accept-rate=-1"), []string{"--accept-rate", "negative"}},
		{"a burst without a rate", command{env: []string{"ACCEPT_BURST=10"}}, []string{"--accept-burst", "without --accept-rate"}},
		{"a negative ping interval", anywhere("--ping-interval=-1s"), []string{"--ping-interval", "25s"}},
		{"no ping timeout", anywhere("--ping-timeout=0s"), []string{"--ping-timeout", "25s"}},
		{"a negative shutdown timeout", anywhere("--shutdown-timeout=-5s"), []string{"--shutdown-timeout"}},
		{"a negative drain delay", anywhere("--drain-delay=-1s"), []string{"--drain-delay", "0s"}},
		{"no time to drain", anywhere("--drain-over=0s"), []string{"--drain-over", "60s"}},
		{"a drain rate of nobody", command{env: []string{"FANFARE_DRAIN_RATE=0"}}, []string{"--drain-rate", "1"}},
		{"a duration without a unit", anywhere("--ping-interval=25"), []string{"--ping-interval", "unit"}},
		{"a level that does not exist", anywhere("--log-level=loud"), []string{"--log-level", "loud"}},
		{"a format that does not exist", anywhere("--log-format=xml"), []string{"--log-format", "json"}},
		{"a folder that does not exist", anywhere("--client-files=testdata/nowhere"), []string{"--client-files", "testdata/nowhere"}},
		{"a folder without the client", anywhere("--client-files=page"), []string{"--client-files", "socket.io.min.js", "npm"}},
		{"a file for a folder", anywhere("--client-files=main.go"), []string{"--client-files", "main.go"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { requireUsage(t, tt.c, tt.advice...) })
	}
}

func TestAVariableThatCannotBeReadSaysWhatToDo(t *testing.T) {
	code, _, log := fail(t, command{env: []string{"PORT=http"}})
	requireAdvice(t, code, wrongCommandLine, log, "--port", "PORT", "http")
}

func TestABadOriginSaysWhatToDo(t *testing.T) {
	notShort(t)
	for origin, advice := range map[string]string{
		"example.com":                   "https://example.com",
		"//example.com":                 "https://example.com",
		"https://":                      "scheme and host",
		"https://example.com/":          "without a path",
		"https://example.com/chat":      "without a path",
		"https://example.com?a=b":       "scheme and host",
		"https://me@example.com":        "scheme and host",
		"https://exa mple.com":          "scheme and host",
		"http://localhost:port":         "scheme and host",
		"null":                          "scheme and host",
		"https://*.example.com":         "name each origin",
		"https://Example.com":           "https://example.com",
		"https://example.com:443":       "https://example.com",
		"http://example.com:80":         "default port",
		"https://a.example,b.example":   `"b.example"`,
		"https://a.example, https://b/": "scheme and host",
	} {
		t.Run(origin, func(t *testing.T) { requireUsage(t, anywhere("--origin="+origin), "--origin", advice) })
	}
	t.Run("environment", func(t *testing.T) {
		requireUsage(t, command{env: []string{"ORIGIN=example.com"}}, "--origin", "https://example.com")
	})
}

func TestOriginsThatBrowsersSendAreAccepted(t *testing.T) {
	origins := []string{"https://example.com", "http://localhost:8080", "http://[::1]:8080", "chrome-extension://abc", "https://xn--bcher-kva.example"}
	p := start(t, anywhere("--origin="+strings.Join(origins, ",")))
	for _, origin := range origins {
		if allowed := get(t, p.url+polling, "Origin", origin).Header.Get("Access-Control-Allow-Origin"); allowed != origin {
			t.Errorf("Access-Control-Allow-Origin: %q, want %q", allowed, origin)
		}
	}
	if allowed := get(t, p.url+polling, "Origin", "https://example.org").Header.Get("Access-Control-Allow-Origin"); allowed == "*" || allowed == "https://example.org" {
		t.Errorf("a foreign origin was let in: %q", allowed)
	}
}

func TestHelpNamesEveryFlagAndItsVariable(t *testing.T) {
	code, out, _ := fail(t, command{args: []string{"--help"}})
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, name := range []string{
		"--port", "$PORT", "--host", "$HOST", "--origin", "$ORIGIN", "--client-files", "$CLIENT_FILES", "--admin", "$ADMIN",
		"--max-connections", "--ping-interval", "--ping-timeout", "--shutdown-timeout", "--drain-delay", "--drain-over", "--drain-rate", "--log-level", "--log-format",
	} {
		if !strings.Contains(out, name) {
			t.Errorf("--help does not name %s", name)
		}
	}
}

// requireUsage fails the test unless the program ends at once, with the usage and
// with a message that has every text in it.
func requireUsage(t *testing.T, c command, texts ...string) {
	t.Helper()
	code, out, log := fail(t, c)
	requireAdvice(t, code, wrongCommandLine, log, texts...)
	if !strings.Contains(out+log, "Usage: chat") {
		t.Error("no usage")
	}
}
