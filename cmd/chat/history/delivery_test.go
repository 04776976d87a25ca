package history_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/bench/report"
	"github.com/fanfare-go/fanfare/bench/swarm"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/cmd/chat/history/postgrestest"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// The load: one client speaks at set times, whatever became of what it said before, and a
// crowd listens with it. What is measured is the time from when a message was due to
// its delivery.
const (
	listeners  = 100
	speakEvery = time.Millisecond
	perRound   = 500 // messages
)

// With so many rounds their median says something; it is to be that at most.
const (
	enoughRounds = 100
	mostRatio    = 1.10
)

// rounds is how many rounds there are with each history; HISTORY_MESSAGES=100000 is
// the full size, 200 rounds of each, some 15 minutes.
func rounds() int {
	n, err := strconv.Atoi(os.Getenv("HISTORY_MESSAGES"))
	if err != nil {
		n = 4 * perRound
	}
	return (n + perRound - 1) / perRound
}

// venue is a server with a history, its crowd and its speaker.
type venue struct {
	history        *history.History
	crowd, speaker *swarm.Swarm
	p50, p99       []float64 // microseconds, one for each round
}

func openVenue(t *testing.T, o history.Options) *venue {
	t.Helper()
	v := &venue{history: open(t, o)}
	server := socketio.New(socketio.Options{PingInterval: time.Hour, Logger: quiet})
	socketio.On(server, "chatMessage", func(_ context.Context, _ *socketio.Socket, text string) error {
		m, _ := v.history.Add(history.Message{Text: text})
		return server.Emit("reply", m.Text, map[string]any{"id": m.ID, "at": m.At})
	})
	if err := server.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error)
	go func() { ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	v.crowd, v.speaker = gather(t, server.Addr().String(), listeners), gather(t, server.Addr().String(), 1)
	return v
}

func gather(t *testing.T, addr string, n int) *swarm.Swarm {
	t.Helper()
	s, err := swarm.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Open(swarm.WebSocket, addr, n); err != nil {
		t.Fatal(err)
	}
	return s
}

// round has the speaker say its messages.
func (v *venue) round(t *testing.T) *report.Latency {
	t.Helper()
	text := strings.Repeat("x", 100)
	trips := swarm.Trips{N: perRound, Request: `42["chatMessage","` + text + `"]`, Answer: `"reply","` + text, Every: speakEvery}
	if err := v.speaker.Begin(trips); err != nil {
		t.Fatal(err)
	}
	if err := v.speaker.Wait(); err != nil {
		t.Fatal(err)
	}
	l, err := v.speaker.Halt()
	if err != nil {
		t.Fatal(err)
	}
	v.p50, v.p99 = append(v.p50, l.P50), append(v.p99, l.P99)
	return l
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// A history is not to slow deliveries down. Rounds with and without one alternate, so that
// what else the machine does is the same for both. A short run is too short to compare
// them; that everything is written and nothing lost it says, too.
func TestDeliveryDoesNotWaitForTheHistory(t *testing.T) {
	db := postgrestest.Start(t)
	off := openVenue(t, history.Options{Store: history.StoreOff})
	stores := map[string]*venue{
		"bbolt":    openVenue(t, history.Options{Store: filepath.Join(t.TempDir(), "history.db")}),
		"postgres": openVenue(t, history.Options{Store: db.URL}),
	}
	for name, on := range stores {
		off.p50, off.p99 = nil, nil
		off.round(t) // to warm up
		on.round(t)
		off.p50, off.p99, on.p50, on.p99 = nil, nil, nil, nil
		var ratios []float64
		for i := range rounds() {
			first, second := off, on
			if i%2 == 1 {
				first, second = on, off
			}
			first.round(t)
			second.round(t)
			ratios = append(ratios, on.p99[i]/off.p99[i])
		}
		t.Logf("%s: %d messages a round to %d clients, %d rounds: p50 %.0f us with it, %.0f us without; p99 %.0f us with it, %.0f us without; ratio of p99 %.3f (median of the rounds)",
			name, perRound, listeners+1, len(ratios), median(on.p50), median(off.p50), median(on.p99), median(off.p99), median(ratios))
		if on.history.State() != history.Healthy {
			t.Errorf("%s: the history is %v", name, on.history.State())
		}
		on.history.Settle()
		if st := on.history.Stats(); st.Written != uint64((len(ratios)+1)*perRound) || st.Lost != 0 {
			t.Errorf("%s: %d messages written, %d lost", name, st.Written, st.Lost)
		} else {
			t.Logf("%s: %d messages in %d writes, %v each", name, st.Written, st.Batches, st.Writing/time.Duration(st.Batches))
		}
		if m := median(ratios); len(ratios) >= enoughRounds && m > mostRatio {
			t.Errorf("%s: p99 is %.2f times what it is without a history, more than %.2f", name, m, mostRatio)
		}
	}
}
