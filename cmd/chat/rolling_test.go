package main_test

import (
	"context"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/cmd/chat/history/postgrestest"
)

// rolling is the size of a rolling restart.
type rolling struct {
	sockets, pollers int
	rate             int // messages per second, each to everybody
	args             []string
	most             int           // goodbyes within a second
	stop             time.Duration // from the signal to the end
}

// rollingSize is small, unless CHAT_DRAIN_CLIENTS says how many clients there are to be:
// the program's defaults apply then, and 2 % of the clients are closed per second at most.
func rollingSize(t *testing.T) rolling {
	text := os.Getenv("CHAT_DRAIN_CLIENTS")
	if text == "" {
		// 30 a second; more are seen where the machine has something else to do for a while. All at
		// once would be 96. What the pace is exactly is the engine's test.
		return rolling{90, 6, 50, []string{"--drain-over=3s", "--drain-rate=1", "--drain-delay=2500ms"}, 80, 2500*time.Millisecond + 3*time.Second + 10*time.Second}
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("CHAT_DRAIN_CLIENTS: %v", err)
	}
	return rolling{n - n/100, n / 100, 2, nil, n / 50, (5 + 60 + 10) * time.Second}
}

func TestARollingRestartBehindHAProxyLosesNothing(t *testing.T) {
	notShort(t)
	t.Parallel() // it mostly waits
	rollingRestart(t, startHAProxy)
}

func TestARollingRestartBehindNginxLosesNothing(t *testing.T) {
	notShort(t)
	t.Parallel()
	rollingRestart(t, startNginx)
}

// rollingRestart restarts each of two instances while everybody is on it, talks, and
// strangers come: every client is told goodbye once by each, nobody meets an error, and
// what was acknowledged was delivered, and is in the database that both share.
func rollingRestart(t *testing.T, balance func(*testing.T, place) *balancer) {
	size := rollingSize(t)
	at := freePlace(t)
	db := postgrestest.Start(t)
	instance := func(port string) *process {
		return start(t, command{args: append([]string{"--host=127.0.0.1", "--port=" + port, "--admin=127.0.0.1:0", "--history=" + db.URL}, size.args...)})
	}
	a := instance(at.a)
	lb := balance(t, at)
	lb.waitFor("a", "UP")
	lb.waitFor("b", "DOWN")
	crowd := gatherTravellers(t, lb.url, size.sockets, size.pollers)
	b := instance(at.b)
	lb.waitFor("b", "UP")

	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	var busy sync.WaitGroup
	var strangers int
	busy.Go(func() { crowd.chat(ctx, size.rate) })
	busy.Go(func() { strangers = crowd.knock(ctx) })
	a.retire(t, crowd, 2, size)
	instance(at.a)
	lb.waitFor("a", "UP")
	b.retire(t, crowd, 3, size)
	crowd.waitAcked(20)
	enough()
	busy.Wait()

	crowd.goHome()
	for _, f := range crowd.faults {
		t.Error(f)
	}
	for _, w := range crowd.all {
		if n := len(w.stays); n != 3 {
			t.Errorf("%s %d connected %d times, want 3", w.kind, w.number, n)
		}
	}
	missed, compared := crowd.missed()
	if missed > 0 || compared == 0 {
		t.Errorf("%d of %d deliveries of acknowledged messages are missing", missed, compared)
	}
	kept := allMessages(t, db.URL)
	for _, id := range crowd.stored {
		if !kept[id] {
			t.Errorf("message %s was acknowledged as stored, and is not", id)
		}
	}
	if crowd.unstored > 0 {
		t.Errorf("%d messages were not stored, with a database that is well", crowd.unstored)
	}
	t.Logf("%d clients, %d messages, %d acknowledged (%d as stored; %d are), the slowest after %v, %d deliveries compared; %d newcomers",
		len(crowd.all), len(crowd.messages), crowd.acked, len(crowd.stored), len(kept), crowd.slowest().Round(time.Millisecond), compared, strangers)
}

// allMessages reads the ids of all that was said to everybody.
func allMessages(t *testing.T, store string) map[string]bool {
	t.Helper()
	h, err := history.Open(t.Context(), history.Options{Store: store, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close(context.Background()) }()
	ids := map[string]bool{}
	for oldest, more := "", true; more; {
		var page []history.Message
		if page, more, err = h.Before(t.Context(), "", oldest, history.MaxLimit); err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			ids[m.ID] = true
		}
		if len(page) > 0 {
			oldest = page[0].ID
		}
	}
	return ids
}

// retire stops the instance that everybody is on, and expects everybody on the other.
func (p *process) retire(t *testing.T, crowd *travellers, stay int, size rolling) {
	t.Helper()
	crowd.mu.Lock()
	crowd.closed = nil
	crowd.mu.Unlock()
	begin := time.Now()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(size.stop):
		t.Fatalf("it has not stopped after %v", size.stop)
	}
	took := time.Since(begin)
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	crowd.settle(stay)
	crowd.mu.Lock()
	defer crowd.mu.Unlock()
	most := busiest(crowd.closed)
	if most > size.most {
		t.Errorf("%d clients were closed within a second, want %d at most", most, size.most)
	}
	t.Logf("drained %d clients in %v, %d within a second at most (%.1f %%)", len(crowd.closed), took.Round(time.Millisecond), most, 100*float64(most)/float64(len(crowd.all)))
}
