package history_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"golang.org/x/sys/unix"
)

// These tests are not parallel: a limit is the process'.

func TestADiskThatIsFull(t *testing.T) {
	folder := t.TempDir()
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a disk of 2 MiB cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(folder, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(folder, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	fill(t, filepath.Join(folder, "history.db"), func() {}, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	})
}

// A file that may not grow is what every machine can have: quotas end in the same way.
func TestAFileThatMayNotGrow(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	set := func(l unix.Rlimit) {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &l); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { set(before) })
	fill(t, filepath.Join(t.TempDir(), "history.db"),
		func() { set(unix.Rlimit{Cur: 2 << 20, Max: before.Max}) },
		func() { set(before) })
}

// fill adds messages until there is no room for them, makes room, and expects that
// nothing is missing of what was acknowledged, nor of what waited.
func fill(t *testing.T, path string, limit, relieve func()) {
	t.Helper()
	o := history.Options{Store: path, Keep: 1 << 30, Retry: 100 * time.Millisecond, Pace: time.Nanosecond}
	h := open(t, o)
	limit()
	text := strings.Repeat("full ", 2000)
	good, add, wait := keepSaying(t, h, history.Degraded, text)
	t.Logf("%d messages until it was full; Add took %v at most, a receipt %v", len(good), add, wait)
	if len(good) == 0 || add > time.Second {
		t.Error("the test has tested nothing, or Add waited")
	}
	waiting, receipt := h.Add(history.Message{Text: text})
	if err := receipt.Wait(t.Context()); !errors.Is(err, history.ErrDegraded) {
		t.Errorf("receipt: %v", err)
	}
	// What is there can be read, opened and read again, while the disk is full.
	page, _, err := h.Before(t.Context(), "", good[len(good)-1].ID, 100)
	if want := good[max(0, len(good)-101) : len(good)-1]; err != nil {
		t.Error(err)
	} else {
		requireSame(t, page, want)
	}
	relieve()
	becomes(t, h, history.Healthy)
	good = append(good, waiting, say(t, h, "", "after"))
	shut(t, h)
	requireAllOf(t, all(t, open(t, o), ""), good)
}

func TestADiskThatIsFullAtTheStart(t *testing.T) {
	folder := t.TempDir()
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a disk of 1 MiB cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(folder, unix.MNT_DETACH) })
	for _, free := range []int{0, 4096, 8192} { // the file is begun, or not
		ballast := filepath.Join(folder, "ballast")
		_ = os.WriteFile(ballast, make([]byte, 1<<20-free), 0o600) // as much as there is room for
		o := history.Options{Store: filepath.Join(folder, "history.db"), Retry: 50 * time.Millisecond}
		h := open(t, o)
		if h.State() != history.Degraded {
			t.Fatalf("%d bytes free: %v", free, h.State())
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		becomes(t, h, history.Healthy)
		requirePage(t, h, "", say(t, h, "", "after"))
		shut(t, h)
		if err := os.Remove(o.Store); err != nil {
			t.Fatal(err)
		}
	}
}
