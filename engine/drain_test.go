package engine_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"pgregory.net/rapid"
)

// Sessions end evenly over the time that was given, and no faster: in no window are
// there more than its share.
func TestEmptySpreadsTheEnds(t *testing.T) {
	const sessions, over = 1000, 10 * time.Second
	inBubble(t, engine.Options{}, func(t *testing.T, k inner) {
		var all []*innerClient
		for range sessions {
			all = append(all, k.mustOpen())
		}
		began := time.Now()
		emptied := make(chan error, 1)
		go func() { emptied <- k.srv.Empty(context.Background(), over) }()
		time.Sleep(over / 2)
		if st := k.srv.Stats(); !st.Emptying || st.WebSocket < 490 || st.WebSocket > 510 {
			t.Errorf("at half time: %d left, Emptying %v", st.WebSocket, st.Emptying)
		}
		if _, err := k.open(); !errors.Is(err, engine.ErrFull) {
			t.Errorf("a new one: %v", err)
		}
		if err := <-emptied; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		var ends []time.Duration
		early := 0
		for i, c := range all {
			if _, ended := c.seen(); ended != engine.ReasonServerShutdown {
				t.Fatalf("ended: %v", ended)
			}
			ends = append(ends, c.endAt.Sub(began))
			if i < sessions/2 && c.endAt.Sub(began) < over/2 {
				early++
			}
		}
		if early < 180 || early > 320 {
			t.Errorf("%d of the first 500 are in the first half: that is no random order", early)
		}
		slices.Sort(ends)
		if last := ends[len(ends)-1]; last < over-100*time.Millisecond || last > over+100*time.Millisecond {
			t.Errorf("the last ended after %v", last)
		}
		atMost(t, ends, time.Second, sessions/10+2)
	})
}

// atMost requires that in no window there are more than that many.
func atMost(t interface{ Errorf(string, ...any) }, ends []time.Duration, window time.Duration, most int) {
	for i := range ends {
		n := 0
		for n < len(ends)-i && ends[i+n] < ends[i]+window {
			n++
		}
		if n > most {
			t.Errorf("%d within %v after %v", n, window, ends[i])
			return
		}
	}
}

// Whatever the looks at the clock are like, standstills included: nobody is early, none
// is left out, and two looks are never more than their share apart.
func TestPaceIsNeverAheadNorInAHurry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.IntRange(0, 10_000).Draw(t, "total")
		over := time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "over"))
		now := time.Unix(1000, 0)
		began := now
		p := engine.NewPace(total, over, now)
		done := 0
		for range rapid.IntRange(1, 200).Draw(t, "looks") {
			step := time.Duration(rapid.Int64Range(1, int64(5*time.Second)).Draw(t, "step"))
			now = now.Add(step)
			next := p.Advance(now)
			if next < done || next > total {
				t.Fatalf("from %d to %d of %d", done, next, total)
			}
			if over > 0 {
				share := float64(total) * min(1, float64(now.Sub(began))/float64(over))
				if float64(next) > share+1 {
					t.Fatalf("%d done where %.1f are due", next, share)
				}
				if jump := float64(total)*1.2*float64(min(step, 10*engine.TickLength))/float64(over) + 1; float64(next-done) > jump {
					t.Fatalf("%d in one look, where %.1f are its share", next-done, jump)
				}
			}
			done = next
		}
		for range int(over/engine.TickLength) + 2 {
			now = now.Add(engine.TickLength)
			done = p.Advance(now)
		}
		if done != total {
			t.Fatalf("%d of %d in the end", done, total)
		}
	})
}

// A machine that is busy looks late each time. It is still on time; and after a standstill
// it is again, at a fifth more per second.
func TestPaceMakesUpForLostTime(t *testing.T) {
	const total, over = 6000, time.Minute // 100 a second
	now := time.Unix(1000, 0)
	p := engine.NewPace(total, over, now)
	for i := range 200 {
		now = now.Add(100 * time.Millisecond)
		if done, want := p.Advance(now), 10*(i+1); done < want-1 || done > want {
			t.Fatalf("%d done, want %d", done, want)
		}
	}
	now = now.Add(5 * time.Second)
	if done := p.Advance(now); done > 2012 {
		t.Errorf("%d done right after a standstill, want 12 more than 2000", done)
	}
	looks := 0
	for ; p.Advance(now) < total; looks++ {
		now = now.Add(10 * time.Millisecond)
	}
	if looks < 3500-1 || looks > 3500+1 { // 35 s were left: at 120 a second, nothing is late in the end
		t.Errorf("done after %d looks more, want 3500", looks)
	}
}

func TestEmptyEndsWithItsContextAndWithShutdown(t *testing.T) {
	inBubble(t, engine.Options{}, func(t *testing.T, k inner) {
		k.mustOpen()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := k.srv.Empty(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if n := k.srv.Stats().WebSocket; n != 1 {
			t.Errorf("%d sessions", n)
		}
	})
	inBubble(t, engine.Options{}, func(t *testing.T, k inner) {
		k.mustOpen()
		emptied := make(chan error, 2)
		go func() { emptied <- k.srv.Empty(context.Background(), time.Hour) }()
		synctest.Wait()
		go func() { emptied <- k.srv.Empty(context.Background(), 0) }() // hurries nobody
		time.Sleep(time.Minute)
		if len(emptied) > 0 || k.srv.Stats().WebSocket != 1 {
			t.Error("the second call hurried the first")
		}
		if err := k.srv.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		if a, b := <-emptied, <-emptied; a != nil || b != nil {
			t.Errorf("%v, %v", a, b)
		}
	})
}

// Over a network: who is there goes on, who comes is told when to come again.
func TestEmptyRefusesNewSessionsOnly(t *testing.T) {
	f := start(t, engine.Options{})
	poller, o := f.openPolling()
	socket, _ := f.openWS()
	emptied := make(chan error, 1)
	go func() { emptied <- f.srv.Empty(context.Background(), time.Hour) }()
	until(t, "it is being emptied", func() bool { return f.srv.Stats().Emptying })
	for _, target := range []string{pollURL, wsURL} {
		c := f.dial()
		r := c.do("GET", target, "")
		seconds, err := strconv.Atoi(r.Header.Get("Retry-After"))
		if r.StatusCode != 503 || err != nil || seconds < 1 || seconds > 10 {
			t.Errorf("%s: %d, Retry-After %q", target, r.StatusCode, r.Header.Get("Retry-After"))
		}
	}
	if n := f.srv.Stats().TurnedAway; n != 2 {
		t.Errorf("TurnedAway is %d", n)
	}
	if r := poller.do("POST", pollURL+"&sid="+o.SID, "4still here"); r.StatusCode != 200 {
		t.Errorf("a post of a session that is open: %d", r.StatusCode)
	}
	socket.sendText("4I am, too")
	if got := receive(t, f.session(o.SID).texts); got != "still here" {
		t.Errorf("%q", got)
	}
}

// A request that a hook holds when Empty is called opens no session afterwards.
func TestEmptyRefusesWhatIsWithAHook(t *testing.T) {
	asked, answer := make(chan bool), make(chan bool)
	f := start(t, engine.Options{AllowRequest: func(context.Context, *http.Request) error { asked <- true; <-answer; return nil }})
	c := f.dial()
	c.request("GET", pollURL, "")
	receive(t, asked)
	if err := f.srv.Empty(context.Background(), time.Hour); err != nil {
		t.Fatal(err)
	}
	close(answer)
	if r := c.read("GET"); r.StatusCode != 503 {
		t.Errorf("%d", r.StatusCode)
	}
	if st := f.srv.Stats(); st.Opened != 0 || st.TurnedAway != 1 {
		t.Errorf("%d opened, %d turned away", st.Opened, st.TurnedAway)
	}
}
