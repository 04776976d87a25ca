package history_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
)

// kills is how often the process is killed; HISTORY_KILLS=200 is the full size.
func kills(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("HISTORY_KILLS"))
	if err != nil {
		n = 20
	}
	if testing.Short() {
		n = min(n, 5)
	}
	t.Logf("%d kills", n)
	return n
}

// writerEnv makes the test binary the process that is killed.
const writerEnv = "HISTORY_TEST_WRITER"

// crashRooms is where the messages go in turn: message n says n, and goes to room n % 3.
var crashRooms = []string{"", "tea", "coffee"}

// TestMain of the process that is killed: it adds messages from a number on, in bursts of
// any size, and prints the numbers whose receipt was good.
func writeUntilKilled(store string) {
	ctx := context.Background()
	h, err := history.Open(ctx, history.Options{Store: store, Keep: 1 << 30, Logger: quiet})
	if err != nil || h.State() != history.Healthy {
		fmt.Println("state", h.State(), err)
		os.Exit(1)
	}
	type promise struct {
		n       int
		receipt *history.Receipt
	}
	promises := make(chan promise, 4096)
	go func() {
		out := bufio.NewWriter(os.Stdout)
		for p := range promises {
			if err := p.receipt.Wait(ctx); err != nil {
				fmt.Println("receipt", err)
				os.Exit(1)
			}
			fmt.Fprintln(out, p.n)
			if len(promises) == 0 {
				_ = out.Flush() // the parent may be gone
			}
		}
	}()
	n, err := strconv.Atoi(os.Getenv(writerEnv + "_FROM"))
	if err != nil {
		os.Exit(1)
	}
	for ; ; n++ {
		_, receipt := h.Add(history.Message{Room: crashRooms[n%3], Name: "Ada", Text: textOf(n)})
		promises <- promise{n, receipt}
		if rand.IntN(50) == 0 {
			time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond) // load that comes and goes
		}
	}
}

// textOf is long enough that records and pages of the file do not fall together.
func textOf(n int) string { return strconv.Itoa(n) + strings.Repeat("·", n%700) }

// kill -9 at any moment: the store opens, and what it has is the beginning of what was
// added; every message whose receipt was good is in it, whole.
func TestNoAcknowledgedMessageIsLostWhenTheProcessIsKilled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.db")
	next, acknowledged := 0, 0
	for range kills(t) {
		last := writeAndKill(t, path, next)
		acknowledged += max(0, last+1-next)
		next = requireBeginning(t, path, last)
	}
	t.Logf("%d messages acknowledged, %d stored", acknowledged, next)
	if acknowledged == 0 {
		t.Error("nothing was acknowledged: the test has tested nothing")
	}
}

// writeAndKill returns the last number that was acknowledged before the process was killed.
func writeAndKill(t *testing.T, path string, from int) (last int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+path, fmt.Sprintf("%s_FROM=%d", writerEnv, from))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	last = from - 1
	lines := bufio.NewReader(out)
	var killer *time.Timer
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // perhaps in the middle of a line
		}
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || n != last+1 {
			t.Fatalf("the process said %q after %d", line, last)
		}
		if last = n; killer == nil { // it is at work; from here on at random
			killer = time.AfterFunc(time.Duration(rand.IntN(60_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		}
	}
	_ = cmd.Wait() // it was killed
	return last
}

// requireBeginning opens the store, and returns how many messages it has: number 0 to that,
// each in its room, in order, none missing, at least those up to last.
func requireBeginning(t *testing.T, path string, last int) (n int) {
	t.Helper()
	h, err := history.Open(t.Context(), history.Options{Store: path, Keep: 1 << 30, Logger: quiet})
	if err != nil || h.State() != history.Healthy {
		t.Fatalf("the store does not open: state %v, error %v", h.State(), err)
	}
	defer shut(t, h)
	counts := make([]int, len(crashRooms))
	for i, room := range crashRooms {
		for id := ""; ; {
			page, more, err := h.After(t.Context(), room, id, history.MaxLimit)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page {
				if want := textOf(3*counts[i] + i); m.Text != want || m.ID <= id || m.Name != "Ada" {
					t.Fatalf("message %d of room %q is %.20q %s, want %.20q", counts[i], room, m.Text, m.ID, want)
				}
				id = m.ID
				counts[i]++
			}
			if !more {
				break
			}
		}
		n += counts[i]
	}
	for i := range crashRooms {
		if want := (n - i + 2) / 3; counts[i] != want {
			t.Fatalf("the rooms have %v messages: not the beginning of what was added", counts)
		}
	}
	if n < last+1 {
		t.Fatalf("%d messages are there, %d were acknowledged", n, last+1)
	}
	return n
}
