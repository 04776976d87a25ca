package socketio_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// brief keeps a history of every room, for a moment.
func brief(tb testing.TB) *watched {
	tb.Helper()
	return recoveringWith(tb, socketio.Options{
		History: func(string, string) socketio.HistoryLimits {
			return socketio.HistoryLimits{Age: 20 * time.Millisecond}
		},
	})
}

func TestRoomsOfEventsToSeveralAreForgotten(t *testing.T) {
	w := brief(t)
	for i := range 100 {
		must(t, w.To(fmt.Sprint("a", i), fmt.Sprint("b", i)).Emit("text"))
	}
	eventually(t, "the rooms are forgotten with their events", func() bool { return socketio.LogRooms(w.Server) == 0 })
}

func TestRoomsOfEventsThatAreNotKeptAreForgotten(t *testing.T) {
	w := brief(t)
	for i := range 100 {
		must(t, w.To(fmt.Sprint("volatile", i)).Volatile().Emit("text"))
	}
	if n := socketio.LogRooms(w.Server); n > 0 {
		t.Errorf("%d rooms are remembered", n)
	}
}
