package main_test

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckSaysWhetherAServerWouldStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fanfare.yaml")
	rewrite(t, path, "port: 8080\norigin: https://example.com\n")
	code, out, _ := fail(t, command{args: []string{"check", "--config=" + path}})
	if code != 0 || !strings.Contains(out, "valid") {
		t.Errorf("exit code %d, %q", code, out)
	}
	rewrite(t, path, "port: 80800\n")
	code, _, log := fail(t, command{args: []string{"check", "--config=" + path}})
	requireAdvice(t, code, wrongCommandLine, log, "--port", "65535")

	certFile, keyFile := writeCertificate(t, t.TempDir(), "x")
	code, _, log = fail(t, command{args: []string{"check", "--tls-cert=" + keyFile, "--tls-key=" + certFile}})
	requireAdvice(t, code, wrongCommandLine, log, "certificate", "--tls-cert")
}

// Wherever an option that is not valid comes from, the exit code is the one of the documentation.
func TestInvalidOptionsHaveOneExitCode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fanfare.yaml")
	for text, advice := range map[string]string{
		"port: x\n":              "--port",
		"port: 80800\n":          "65535",
		"prot: 3000\n":           "do not exist: prot",
		"host: [\n":              "line 1",
		"- port\n":               "--config",
		"auth-secret: short\n":   "32 at least",
		"client-files: /nowhere": "/nowhere",
	} {
		rewrite(t, path, text)
		for _, call := range []string{"serve", "check"} {
			code, _, log := fail(t, command{args: []string{call, "--config=" + path}})
			requireAdvice(t, code, wrongCommandLine, log, advice)
		}
	}
	code, _, log := fail(t, command{args: []string{"check"}, env: []string{"FANFARE_PORT=x"}})
	requireAdvice(t, code, wrongCommandLine, log, "FANFARE_PORT")
}

func TestPrintConfigPrintsAFileForConfig(t *testing.T) {
	code, out, _ := fail(t, command{args: []string{"print-config", "--port=8080"}, env: []string{"FANFARE_HOST=localhost"}})
	if code != 0 || !strings.Contains(out, "\nport: 8080\n") || !strings.Contains(out, "\nhost: localhost\n") || !strings.Contains(out, "\n# ping-interval: 25s\n") {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	path := filepath.Join(t.TempDir(), "fanfare.yaml")
	rewrite(t, path, out)
	if code, again, log := fail(t, command{args: []string{"print-config", "--config=" + path}}); code != 0 || again != out {
		t.Errorf("exit code %d, %s: read again it is\n%s", code, log, again)
	}
}

// Only the URL of a database has a password in it: a file that --config reads must not keep
// the messages somewhere else than the options it was printed from.
func TestPrintConfigPrintsWhereMessagesAreKept(t *testing.T) {
	notShort(t)
	for store, want := range map[string]string{
		"memory":                            "\nhistory: memory\n",
		"off":                               "\nhistory: \"off\"\n",
		"/var/lib/history.db":               "\nhistory: /var/lib/history.db\n",
		"postgres://u:hunter2@db/db":        "\n# history: (redacted)\n",
		"postgres://db/db?password=hunter2": "\n# history: (redacted)\n",
	} {
		if code, out, _ := fail(t, command{args: []string{"print-config", "--history=" + store}}); code != 0 || !strings.Contains(out, want) || strings.Contains(out, "hunter2") {
			t.Errorf("%s: exit code %d, want %q", store, code, want)
		}
	}
}

func TestAVariableNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fanfare.yaml")
	rewrite(t, path, "port: 8080\n")
	c := command{args: []string{"print-config"}, env: []string{"FANFARE_CONFIG=" + path}}
	if code, out, log := fail(t, c); code != 0 || !strings.Contains(out, "\nport: 8080\n") {
		t.Errorf("exit code %d, %s%s", code, out, log)
	}
}

func TestVariablesThatAreNoOptionsAreNamed(t *testing.T) {
	_, out, log := fail(t, command{args: []string{"check"}, env: []string{"FANFARE_PRT=1", "FANFARE_PORT=8080", "FANFARE_CONFIG_FILE=x"}})
	if !strings.Contains(out, "valid") || !strings.Contains(log, "names=\"[FANFARE_CONFIG_FILE FANFARE_PRT]\"") {
		t.Errorf("%s%s", out, log)
	}
}
