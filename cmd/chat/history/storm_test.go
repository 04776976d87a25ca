package history_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/cmd/chat/history/postgrestest"
)

// 10,000 newcomers ask for the last 50 messages while others go on talking.
func TestAStormOfNewcomersAsksTheStoreOnce(t *testing.T) {
	t.Parallel()
	db := postgrestest.Start(t)
	for name, o := range map[string]history.Options{
		"bbolt":    {Store: filepath.Join(t.TempDir(), "history.db")},
		"postgres": {Store: db.URL, Fresh: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, o)
			for i := range 300 {
				h.Add(history.Message{Text: fmt.Sprint(i)})
			}
			say(t, h, "", "last")
			shut(t, h)

			h = open(t, o)
			const newcomers = 10_000
			var said atomic.Int64
			var group sync.WaitGroup
			for i := range newcomers {
				group.Go(func() {
					page, more, err := h.Before(t.Context(), "", "", 50)
					if err != nil || len(page) != 50 || !more {
						t.Errorf("%d messages, more %v, error %v", len(page), more, err)
					}
					if i%100 == 0 {
						h.Add(history.Message{Text: "hello"})
						said.Add(1)
					}
				})
			}
			group.Wait()
			if st := h.Stats(); st.Reads != 1 || st.Cached != newcomers {
				t.Errorf("the store was asked %d times, memory %d times", st.Reads, st.Cached)
			}
			if stored := all(t, h, ""); len(stored) != 301+int(said.Load()) {
				t.Errorf("%d messages, want %d", len(stored), 301+said.Load())
			}
		})
	}
}

// Whoever has seen a message finds it in the history, whether it is written or not, and
// nothing comes twice: many read and write at once, in rooms that fall out of memory.
func TestWhatWasSaidIsReadAtOnce(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]history.Options{
		"memory": {Store: history.StoreMemory},
		"bbolt":  {Store: filepath.Join(t.TempDir(), "history.db")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Tails = 2
			h := open(t, o)
			var group sync.WaitGroup
			for i := range 8 {
				group.Go(func() {
					room := fmt.Sprint(i % 4)
					for range 300 {
						m, _ := h.Add(history.Message{Room: room, Text: "x"})
						requireRead(t, h, m)
					}
				})
			}
			group.Wait()
			for i := range 4 {
				if stored := all(t, h, fmt.Sprint(i)); len(stored) != 600 {
					t.Errorf("%d messages, want 600", len(stored))
				}
			}
		})
	}
}

// requireRead looks for a message on the last pages; others may have said a lot since.
func requireRead(t *testing.T, h *history.History, m history.Message) {
	t.Helper()
	for id := ""; ; {
		page, _, err := h.Before(t.Context(), m.Room, id, history.MaxLimit)
		if err != nil || len(page) == 0 {
			t.Errorf("%v is not there, %v", m, err)
			return
		}
		if id = page[0].ID; id <= m.ID {
			requireOnce(t, page, m)
			return
		}
	}
}

func requireOnce(t *testing.T, page []history.Message, m history.Message) {
	t.Helper()
	found := 0
	for i := range page {
		if i > 0 && page[i].ID <= page[i-1].ID {
			t.Errorf("%s comes after %s", page[i].ID, page[i-1].ID)
		}
		if page[i] == m {
			found++
		}
	}
	if found != 1 {
		t.Errorf("a message that was added comes %d times", found)
	}
}

// Two servers on one database see each other's messages, in one order.
func TestServersShareADatabase(t *testing.T) {
	t.Parallel()
	o := history.Options{Store: postgrestest.Start(t).URL, Fresh: time.Millisecond}
	one, two := open(t, o), open(t, o)
	var said []history.Message
	for i := range 20 {
		said = append(said, say(t, []*history.History{one, two}[i%2], "", fmt.Sprint(i)))
		time.Sleep(2 * time.Millisecond) // another millisecond in their ids, and tails that are not fresh
	}
	requirePage(t, one, "", said...)
	requirePage(t, two, "", said...)
}
