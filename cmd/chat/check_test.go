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
	requireAdvice(t, code, 1, log, "certificate", "--tls-cert")
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

func TestAVariableNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fanfare.yaml")
	rewrite(t, path, "port: 8080\n")
	c := command{args: []string{"print-config"}, env: []string{"FANFARE_CONFIG=" + path}}
	if code, out, log := fail(t, c); code != 0 || !strings.Contains(out, "\nport: 8080\n") {
		t.Errorf("exit code %d, %s%s", code, out, log)
	}
}
