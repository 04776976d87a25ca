package history_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/cmd/chat/history/postgrestest"
)

// patience is how long anything may take that is expected to happen.
const patience = 60 * time.Second

// becomes waits until the history is in a state.
func becomes(t testing.TB, h *history.History, want history.State) {
	t.Helper()
	for deadline := time.Now().Add(patience); h.State() != want; {
		if time.Now().After(deadline) {
			t.Fatalf("the history is %v, want %v", h.State(), want)
		}
		time.Sleep(time.Millisecond)
	}
}

// keepSaying adds messages until the history is in a state, and returns those whose
// receipt was good, and how long the slowest Add and the slowest receipt took.
func keepSaying(t testing.TB, h *history.History, until history.State, text string) (good []history.Message, add, wait time.Duration) {
	t.Helper()
	for deadline := time.Now().Add(patience); h.State() != until; {
		if time.Now().After(deadline) {
			t.Fatalf("the history is %v, want %v", h.State(), until)
		}
		begin := time.Now()
		m, receipt := h.Add(history.Message{Text: text})
		added := time.Now()
		err := receipt.Wait(t.Context())
		add, wait = max(add, added.Sub(begin)), max(wait, time.Since(added))
		if err == nil {
			good = append(good, m)
		} else if !errors.Is(err, history.ErrDegraded) && !errors.Is(err, history.ErrQueueFull) {
			t.Fatal(err)
		}
		if h.State() == history.Degraded {
			time.Sleep(time.Millisecond) // receipts cost nothing now
		}
	}
	return good, add, wait
}

// all returns everything a room has.
func all(t testing.TB, h *history.History, room string) (messages []history.Message) {
	t.Helper()
	for id := ""; ; {
		page, more, err := h.After(t.Context(), room, id, history.MaxLimit)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, page...)
		if !more {
			return messages
		}
		id = page[len(page)-1].ID
	}
}

func requireAllOf(t testing.TB, stored, want []history.Message) {
	t.Helper()
	there := map[string]history.Message{}
	for i, m := range stored {
		if i > 0 && m.ID <= stored[i-1].ID {
			t.Fatalf("%s comes after %s", m.ID, stored[i-1].ID)
		}
		there[m.ID] = m
	}
	for _, m := range want {
		if there[m.ID] != m {
			t.Fatalf("%v was acknowledged, the store has %v", m, there[m.ID])
		}
	}
}

func TestPostgresRestarts(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	o := history.Options{Store: db.URL, Keep: 1 << 30, Patience: 500 * time.Millisecond, Retry: 200 * time.Millisecond}
	h := open(t, o)
	var good []history.Message
	for _, end := range []func(){db.Kill, db.Stop, db.Pause} {
		for range 50 {
			good = append(good, say(t, h, "", "before"))
		}
		ended := make(chan struct{})
		go func() { defer close(ended); end() }()
		more, add, wait := keepSaying(t, h, history.Degraded, "while it ends")
		good = append(good, more...)
		if <-ended; add > time.Second || wait > 10*time.Second {
			t.Errorf("Add took %v, a receipt %v", add, wait)
		}

		m, receipt := h.Add(history.Message{Text: "while it is gone"})
		if err := receipt.Wait(t.Context()); !errors.Is(err, history.ErrDegraded) {
			t.Errorf("a receipt while it is gone: %v", err)
		}
		page, _, err := h.Before(t.Context(), "", "", 1)
		if err != nil || len(page) != 1 || page[0] != m {
			t.Errorf("the last message while it is gone is %v, %v", page, err)
		}
		started := make(chan struct{})
		go func() { defer close(started); db.Start(); db.Resume() }()
		more, _, _ = keepSaying(t, h, history.Healthy, "while it comes back")
		<-started
		good = append(good, more...)
		good = append(good, m) // it waited in the queue
	}
	good = append(good, say(t, h, "", "after"))
	shut(t, h)
	requireAllOf(t, all(t, open(t, o), ""), good)
}

// It is not the next message that finds out.
func TestADatabaseThatGoesWhileNobodySpeaksIsMissed(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	h := open(t, history.Options{Store: db.URL, Retry: 50 * time.Millisecond})
	one := say(t, h, "", "one")
	requirePage(t, h, "", one)
	db.Stop()
	becomes(t, h, history.Degraded)
	requirePage(t, h, "", one) // from memory
	db.Start()
	becomes(t, h, history.Healthy)
	requirePage(t, h, "", one, say(t, h, "", "two"))
}

// Nothing there at the start: the server serves, and has a history as soon as there is one.
func TestADatabaseMayComeLater(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	db.Stop()
	h := open(t, history.Options{Store: db.URL, Retry: 100 * time.Millisecond})
	if h.State() != history.Degraded {
		t.Fatalf("state %v", h.State())
	}
	m, receipt := h.Add(history.Message{Text: "early"})
	if err := receipt.Wait(t.Context()); !errors.Is(err, history.ErrDegraded) {
		t.Errorf("receipt: %v", err)
	}
	if page, more, err := h.Before(t.Context(), "", "", 10); err != nil || !more || len(page) != 1 || page[0] != m {
		t.Errorf("%v, more %v, %v", page, more, err)
	}
	if _, _, err := h.Before(t.Context(), "", m.ID, 10); !errors.Is(err, history.ErrDegraded) {
		t.Errorf("older ones: %v", err)
	}
	db.Start()
	becomes(t, h, history.Healthy)
	requirePage(t, h, "", m, say(t, h, "", "late"))
}

func TestAFileThatAnotherProcessHasIsTakenWhenItIsFree(t *testing.T) {
	t.Parallel()
	o := history.Options{Store: filepath.Join(t.TempDir(), "history.db"), Retry: 100 * time.Millisecond}
	first := open(t, o)
	one := say(t, first, "", "one")
	second := open(t, o)
	if second.State() != history.Degraded {
		t.Fatalf("state %v", second.State())
	}
	shut(t, first)
	becomes(t, second, history.Healthy)
	requirePage(t, second, "", one, say(t, second, "", "two"))
}

func TestAFileThatIsNoStoreIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "precious.txt")
	for _, precious := range []string{"short", strings.Repeat("my diary ", 300), strings.Repeat("my diary ", 5000)} {
		requireLeftAlone(t, path, precious)
	}
}

func requireLeftAlone(t *testing.T, path, precious string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(precious), 0o600); err != nil {
		t.Fatal(err)
	}
	h := open(t, history.Options{Store: path})
	if h.State() != history.Degraded {
		t.Errorf("state %v", h.State())
	}
	shut(t, h)
	if b, err := os.ReadFile(path); err != nil || string(b) != precious {
		t.Errorf("the file was changed: %v", err)
	}
}

// A file whose end is missing is noticed, and costs the history only.
func TestADamagedFileCostsTheHistoryOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history.db")
	h := open(t, history.Options{Store: path})
	for i := range 2000 {
		h.Add(history.Message{Room: fmt.Sprint(i % 50), Text: strings.Repeat("x", 500)})
	}
	shut(t, h)
	if err := os.Truncate(path, 40_000); err != nil {
		t.Fatal(err)
	}
	h, err := history.Open(t.Context(), history.Options{Store: path, Retry: 50 * time.Millisecond, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		_, receipt := h.Add(history.Message{Room: fmt.Sprint(i), Text: "x"})
		_ = receipt.Wait(t.Context()) // an error or not; what matters is that we are alive
		_, _, _ = h.Before(t.Context(), fmt.Sprint(i), "", 10)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.Close(ctx); errors.Is(err, context.DeadlineExceeded) {
		t.Error(err) // that messages were not written is no wonder
	}
}

// A queue that is full: what is beyond it is lost and counted, the rest is stored.
func TestAQueueThatIsFullLosesAndSaysSo(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	h := open(t, history.Options{Store: db.URL, Queue: 100, Retry: 100 * time.Millisecond, Patience: 200 * time.Millisecond})
	db.Pause()
	var kept []history.Message
	for range 150 {
		if m, receipt := h.Add(history.Message{Text: "x"}); len(kept) < 100 {
			kept = append(kept, m)
		} else if err := receipt.Wait(t.Context()); !errors.Is(err, history.ErrQueueFull) {
			t.Fatalf("receipt: %v", err)
		}
	}
	if st := h.Stats(); st.Lost != 50 || st.State != history.Degraded || st.Queued != 100 {
		t.Errorf("%+v", st)
	}
	db.Resume()
	becomes(t, h, history.Healthy)
	requirePage(t, h, "", append(kept, say(t, h, "", "last"))...)
}
