package history_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/oklog/ulid/v2"
)

// idAt is the ID of a message that came at t.
func idAt(t time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(t))
	return id.String()
}

func TestWhatOthersHaveIsKeptInItsPlace(t *testing.T) {
	t.Parallel()
	for _, store := range []string{history.StoreMemory, filepath.Join(t.TempDir(), "history.db")} {
		h := open(t, history.Options{Store: store})
		if h.Shared() {
			t.Errorf("%s is nobody else's", store)
		}
		requirePage(t, h, "tea") // it has a tail from now on
		last := say(t, h, "tea", "last")
		first := history.Message{ID: idAt(last.At.Add(-time.Second)), Room: "tea", User: "eve", Name: "Eve", Text: "first"}
		for range 2 { // brokers may say it twice
			if !h.Keep(first) {
				t.Fatal("it was not kept")
			}
		}
		first.At = last.At.Add(-time.Second)
		requirePage(t, h, "tea", first, last)
		later := history.Message{ID: idAt(time.Now().Add(30 * time.Second)), Room: "tea", Text: "their clock is ahead"}
		if !h.Keep(later) {
			t.Error("half a minute is not too far ahead")
		}
		if after := say(t, h, "tea", "an answer"); after.ID <= later.ID {
			t.Errorf("%s is not behind %s", after.ID, later.ID)
		}
	}
}

func TestWhatIsNoMessageIsNotKept(t *testing.T) {
	t.Parallel()
	h := open(t, history.Options{Store: history.StoreMemory})
	for name, m := range map[string]history.Message{
		"no ID":          {Text: "x"},
		"no ULID":        {ID: "x", Text: "x"},
		"of next week":   {ID: idAt(time.Now().Add(7 * 24 * time.Hour)), Text: "x"},
		"a room too far": {ID: idAt(time.Now()), Room: string(make([]byte, history.MaxRoom+1)), Text: "x"},
	} {
		if h.Keep(m) {
			t.Errorf("%s: it was kept", name)
		}
	}
	requirePage(t, h, "")
	if off := open(t, history.Options{Store: history.StoreOff}); off.Keep(history.Message{ID: idAt(time.Now())}) || !off.Shared() {
		t.Error("there is nothing to keep it in")
	}
}
