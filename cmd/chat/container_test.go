package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// image is what the image's description says of how it runs.
type image struct {
	Docker struct {
		Config struct {
			User         string
			ExposedPorts map[string]struct{}
			Entrypoint   []string
			StopSignal   string
			Env          []string
			Volumes      map[string]struct{}
			Healthcheck  struct{ Test []string }
		} `json:"config"`
	}
}

// The Dockerfile's second half, with the program built here in place of the first half,
// whose image no network is asked for; and then the image, running.
func TestTheImageServesWithoutBeingRoot(t *testing.T) {
	notShort(t)
	buildah := packaged(t, "buildah", "buildah")
	if os.Getuid() != 0 {
		t.Skip("building an image needs root here")
	}
	folder := t.TempDir()
	compiled := filepath.Join(folder, "compiled", "out")
	if err := os.MkdirAll(filepath.Join(compiled, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	rewrite(t, filepath.Join(compiled, "ca-certificates.crt"), "# those of the first half\n")
	build := exec.Command("go", "build", "-o", filepath.Join(compiled, "fanfare"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	prints(t, build)

	store := []string{"--storage-driver", "vfs", "--root", folder + "/root", "--runroot", folder + "/run"}
	call := func(args ...string) *exec.Cmd { return exec.Command(buildah, append(slices.Clone(store), args...)...) }
	prints(t, call("bud", "--isolation", "chroot", "--format", "docker", "--build-context", "build="+filepath.Dir(compiled),
		"-f", deploy+"/Dockerfile", "-t", "fanfare", folder+"/compiled"))
	var i image
	if err := json.Unmarshal([]byte(prints(t, call("inspect", "--type", "image", "fanfare"))), &i); err != nil {
		t.Fatal(err)
	}
	c := i.Docker.Config
	got := fmt.Sprintln(c.User, c.ExposedPorts, c.Entrypoint, c.StopSignal, c.Volumes, c.Healthcheck.Test)
	if want := "65532:65532 map[3000/tcp:{} 6060/tcp:{}] [/fanfare] SIGTERM map[/data:{}] [CMD /fanfare health]\n"; got != want {
		t.Errorf("the image is %s, want %s", got, want)
	}

	name := strings.TrimSpace(prints(t, call("from", "fanfare")))
	run := func(args ...string) *exec.Cmd {
		return call(append([]string{"run", "--isolation", "chroot", name, "--"}, args...)...)
	}
	if out := prints(t, run("/fanfare", "version")); !strings.HasPrefix(out, "chat ") {
		t.Errorf("version: %s", out)
	}
	public, admin := freePort(t), freePort(t)
	for admin == public {
		admin = freePort(t)
	}
	background(t, run("/fanfare", "--port="+public, "--admin=127.0.0.1:"+admin))
	eventually(t, func() error {
		if a, err := try("GET", "http://127.0.0.1:"+public+"/", ""); err != nil || a.StatusCode != 200 {
			return fmt.Errorf("no page yet: %w", errors.Join(err, errors.New("waiting")))
		}
		return nil
	})
	prints(t, run(append(c.Healthcheck.Test[1:], "--admin=127.0.0.1:"+admin)...))
	if code := run("/fanfare", "health", "--admin=127.0.0.1:1").Run(); code == nil {
		t.Error("a server that is not there is well")
	}
	if uid := ownerOf(t, "--port="+public); uid != "65532" {
		t.Errorf("it runs as user %s", uid)
	}
	socket := dialWebSocket(t, "http://127.0.0.1:"+public)
	socket.emit("chatMessage", "from the image")
	socket.expect(`42["reply","from the image"`)
}

// ownerOf is the user as whom the program with that argument runs.
func ownerOf(t *testing.T, argument string) (uid string) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		line, _ := os.ReadFile(path) // it may have ended
		args := strings.Split(string(line), "\x00")
		if args[0] != "/fanfare" || !slices.Contains(args, argument) {
			continue
		}
		status := string(read(t, filepath.Join(filepath.Dir(path), "status")))
		_, ids, _ := strings.Cut(status, "\nUid:\t")
		uid, _, _ = strings.Cut(ids, "\t")
	}
	return uid
}
