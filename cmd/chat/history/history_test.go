package history_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func open(t testing.TB, o history.Options) *history.History {
	t.Helper()
	if o.Logger == nil {
		o.Logger = quiet
	}
	h, err := history.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, h) })
	return h
}

func shut(t testing.TB, h *history.History) {
	t.Helper()
	if err := h.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

func say(t testing.TB, h *history.History, room, text string) history.Message {
	t.Helper()
	m, receipt := h.Add(history.Message{Room: room, User: "ada", Name: "Ada", Text: text})
	if err := receipt.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatWasSaidIsThereAfterARestart(t *testing.T) {
	t.Parallel()
	o := history.Options{Store: filepath.Join(t.TempDir(), "new", "history.db")}
	h := open(t, o)
	first, second := say(t, h, "", "hello"), say(t, h, "", "world")
	other := say(t, h, "tea", "milk?")
	shut(t, h)

	h = open(t, o)
	requirePage(t, h, "", first, second)
	requirePage(t, h, "tea", other)
	requirePage(t, h, "coffee")
	if third := say(t, h, "", "again"); third.ID <= other.ID {
		t.Errorf("id %s is not after %s", third.ID, other.ID)
	}
}

func requirePage(t *testing.T, h *history.History, room string, want ...history.Message) {
	t.Helper()
	got, more, err := h.Before(t.Context(), room, "", history.MaxLimit)
	if err != nil || more {
		t.Fatalf("more %v, error %v", more, err)
	}
	requireSame(t, got, want)
}

func requireSame(t *testing.T, got, want []history.Message) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d messages, want %d:\n%v\n%v", len(got), len(want), got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("message %d is\n%v, want\n%v", i, got[i], want[i])
		}
	}
}

func TestWhereItIsOffNothingIsKept(t *testing.T) {
	t.Parallel()
	h := open(t, history.Options{Store: "off"})
	m, receipt := h.Add(history.Message{Text: "x"})
	if err := receipt.Wait(t.Context()); !errors.Is(err, history.ErrOff) || m.ID == "" || m.At.IsZero() {
		t.Errorf("%v, %v", m, err)
	}
	if _, _, err := h.Before(t.Context(), "", "", 1); !errors.Is(err, history.ErrOff) {
		t.Errorf("error %v", err)
	}
	if s := h.State(); s != history.Off || s.String() != "off" {
		t.Errorf("state %v", s)
	}
}
