package clienttest_test

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// pythonPackages is what the client needs, by the names of Debian and of PyPI.
const pythonPackages = "python3-socketio and python3-aiohttp (PyPI: python-socketio[asyncio_client])"

// python finds an interpreter that has the client.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c", "import socketio, aiohttp").Run() == nil {
			return path
		}
	}
	clienttest.Unavailable(t, "no python3 that has "+pythonPackages)
	return ""
}

// TestPythonClient drives python-socketio, which is no port of the official client.
func TestPythonClient(t *testing.T) {
	interpreter := python(t)
	house := openHouse(t, houseOptions{})
	for _, transport := range transports {
		t.Run(transport.name, func(t *testing.T) {
			first := transport.names[len(transport.names)-1] // python-socketio upgrades before connect returns
			want := strings.Join([]string{
				`["connected", "` + first + `", true]`,
				`["echoed", ["text", 7, {"deep": [true, null]}]]`,
				`["binary", [0, 1, 2, 3], [[120], []]]`,
				`["acknowledged", ["a", [1]]]`,
				`["answered", ["6 x 7!"]]`,
				`["room", ["to the room"]]`,
				`["reply", ["to everyone"], 0]`,
				`["admin", ["from admin"]]`,
				`["gone"]`, "",
			}, "\n")
			if got := visit(t, interpreter, house.url, transport.names); got != want {
				t.Error("got\n" + got + "want\n" + want)
			}
		})
	}
}

func visit(t *testing.T, interpreter, url string, transports []string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var out, faults bytes.Buffer
	cmd := exec.CommandContext(ctx, interpreter, filepath.Join("testdata", "python", "client.py"), url, strings.Join(transports, ","))
	cmd.Stdout, cmd.Stderr = &out, &faults
	if err := cmd.Run(); err != nil {
		t.Errorf("the client: %v\n%s", err, faults.String())
	}
	return out.String()
}
