package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// watcher is a recorder that is told when its client is too slow.
type watcher struct {
	*recorder
	told []engine.Slow
	then func() // called when told; nil for nothing
}

func (w *watcher) Slow(e engine.Slow) {
	w.told = append(w.told, e)
	if w.then != nil {
		w.then()
	}
}

// causes is what the watcher was told, without the numbers.
func (w *watcher) causes() (all []string) {
	for _, e := range w.told {
		s := e.Cause.String() + ", dropped"
		if e.Closed {
			s = e.Cause.String() + ", closed"
		}
		all = append(all, s)
	}
	return all
}

// slowFakes is a server whose Receivers are watchers.
type slowFakes struct {
	*fakes
	watchers map[*engine.Session]*watcher
}

func startSlow(t *testing.T, loops int, o engine.Options) *slowFakes {
	t.Helper()
	k := &slowFakes{watchers: make(map[*engine.Session]*watcher)}
	o.Accept = func(s *engine.Session) engine.Receiver {
		w := &watcher{recorder: k.accept(s).(*recorder)}
		k.watchers[s] = w
		return w
	}
	o.MaxHTTPBufferSize = 1000 // HighWaterMark is no less
	k.fakes = startFake(t, loops, o)
	return k
}

// slowClient is one that reads when the test does: over WebSocket, or a polling one
// that does not poll.
type slowClient struct {
	k    *slowFakes
	c    *fakeConn
	w    *watcher
	poll bool
	got  []string
}

func (k *slowFakes) client(loop int, poll bool) *slowClient {
	k.t.Helper()
	s := &slowClient{k: k, poll: poll}
	var r *recorder
	if poll {
		s.c, r = k.openPolling(loop)
	} else {
		s.c, r = k.openWS(loop)
		s.c.narrow(k.t)
	}
	s.w = k.watchers[r.s]
	return s
}

// read takes all there is, packet by packet; binary ones behind the text of theirs.
func (s *slowClient) read() []string {
	s.k.t.Helper()
	if !s.poll {
		s.got = append(s.got, s.k.received(s.c)...)
		return s.got
	}
	s.k.run()
	s.c.deliver(requestText("GET", pollURL+"&sid="+s.w.s.ID(), "", ""))
	s.got = append(s.got, strings.Split(s.c.response(s.k.t), sep)...)
	return s.got
}

// binaryTail is how the attachment of event i arrives.
func (s *slowClient) binaryTail(i int) string {
	if s.poll {
		return "bAAAA" // three bytes of 0
	}
	return "binary:\x00\x00\x00"
}

// flood sends events first to last, each tenth of them kept and each third with an
// attachment, and returns what a client that loses nothing would get, event by event.
func (s *slowClient) flood(l *ledger, first, last int) {
	for i := first; i < last; i++ {
		text := fmt.Sprintf("%d %s", i, strings.Repeat("x", 200))
		var f *engine.Frame
		if i%3 == 0 {
			f = l.frame(text, []byte{0, 0, 0})
		} else {
			f = l.frame(text)
		}
		if i%10 == 0 {
			f.SetKept()
		}
		s.w.s.Send(f)
		if i%7 == 0 {
			s.k.run()
		}
	}
	s.k.run()
}

// events checks that what was got is whole events in order, and returns their numbers.
func (s *slowClient) events() (numbers []int) {
	s.k.t.Helper()
	for n := 0; n < len(s.got); n++ {
		var i int
		if _, err := fmt.Sscanf(s.got[n], "4%d x", &i); err != nil || len(s.got[n]) != len(fmt.Sprint("4", i, " "))+200 {
			s.k.t.Fatalf("packet %d is %.40q", n, s.got[n])
		}
		if len(numbers) > 0 && i <= numbers[len(numbers)-1] {
			s.k.t.Fatalf("event %d comes behind %d", i, numbers[len(numbers)-1])
		}
		numbers = append(numbers, i)
		if i%3 == 0 {
			if n++; n == len(s.got) || s.got[n] != s.binaryTail(i) {
				s.k.t.Fatalf("event %d has lost its attachment", i)
			}
		}
	}
	return numbers
}

// Under SlowDropOldest a client that reads again has a gap, and behind it the newest
// without another; what is kept is there in any case.
func TestASlowClientLosesItsOldestEventsOnly(t *testing.T) {
	for name, o := range map[string]engine.Options{
		"bytes":   {HighWaterMark: 10_000},
		"packets": {MaxQueued: 60},
	} {
		for _, poll := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, polling %v", name, poll), func(t *testing.T) {
				o.SlowPolicy = engine.SlowDropOldest
				o.PingInterval, o.MaxBlocked = time.Hour, time.Hour
				k := startSlow(t, 1, o)
				s := k.client(0, poll)
				var l ledger
				const sent = 250
				s.flood(&l, 0, sent)
				s.read()
				numbers := s.events()
				drops := int(k.srv.Stats().SlowDrops)
				if drops == 0 || len(numbers) != sent-drops {
					t.Errorf("%d of %d events received, %d dropped", len(numbers), sent, drops)
				}
				gaps, next := 0, 0
				for i := range sent {
					there := next < len(numbers) && numbers[next] == i
					if there {
						next++
					}
					switch {
					case !there && i%10 == 0:
						t.Errorf("event %d was to be kept", i)
					case !there && i > sent-20:
						t.Errorf("event %d is among the newest", i)
					case there && i%10 != 0 && i > 0 && !slices.Contains(numbers, i-1) && (i-1)%10 != 0:
						gaps++ // the first that follows lost ones
					case there && i%10 == 1 && i > 1 && !slices.Contains(numbers, i-2):
						gaps++
					}
				}
				if gaps != 1 {
					t.Errorf("%d gaps: %v", gaps, numbers)
				}
				want := []string{name + ", dropped"}
				if got := s.w.causes(); !slices.Equal(got, want) {
					t.Errorf("told %q", got)
				}
				s.flood(&l, sent, sent+20) // it keeps up again
				s.read()
				if got := s.events(); len(got) != sent-drops+20 {
					t.Errorf("%d events after it read again", len(got)-(sent-drops))
				}
				s.flood(&l, sent+20, 2*sent) // and not any more
				if got := s.w.causes(); !slices.Equal(got, append(want, want...)) {
					t.Errorf("at the second blockade told %q", got)
				}
				s.read()
				s.events()
				if st := k.srv.Stats(); st.SlowClosed != 0 {
					t.Errorf("%d closed", st.SlowClosed)
				}
				l.settled(t, k.fixture)
			})
		}
	}
}

// What may not be dropped ends the client when it alone is too much.
func TestKeptFramesAreBoundedToo(t *testing.T) {
	for _, poll := range []bool{false, true} {
		t.Run(fmt.Sprint("polling ", poll), func(t *testing.T) {
			k := startSlow(t, 1, engine.Options{MaxQueued: 30, SlowPolicy: engine.SlowDropOldest})
			s := k.client(0, poll)
			var l ledger
			for i := range 100 {
				f := l.frame(fmt.Sprint(i, strings.Repeat("x", 400)))
				f.SetKept()
				s.w.s.Send(f)
				k.run()
			}
			if got := s.w.causes(); !slices.Equal(got, []string{"packets, closed"}) {
				t.Fatalf("told %q", got)
			}
			if e := s.w.told[0]; e.Frames != 30 || e.Bytes < 30*400 {
				t.Errorf("%+v", e)
			}
			s.w.ended(t, engine.ReasonTransportError)
			k.run()
			l.settled(t, k.fixture)
		})
	}
}

// Each bound closes with its own cause, is told of once, before the end, and counted.
func TestTheCauseOfAClose(t *testing.T) {
	for _, tt := range []struct {
		want   string
		o      engine.Options
		poll   bool
		policy engine.SlowPolicy
	}{
		{"bytes, closed", engine.Options{HighWaterMark: 5000}, false, engine.SlowClose},
		{"bytes, closed", engine.Options{HighWaterMark: 5000}, true, engine.SlowClose},
		{"packets, closed", engine.Options{MaxQueued: 20}, false, engine.SlowClose},
		{"packets, closed", engine.Options{MaxQueued: 20}, true, engine.SlowClose},
		{"time, closed", engine.Options{MaxBlocked: time.Second}, false, engine.SlowClose},
		{"time, closed", engine.Options{MaxBlocked: time.Second}, false, engine.SlowDropOldest},
		{"memory, closed", engine.Options{MaxQueuedBytes: 8000}, false, engine.SlowClose},
		{"memory, closed", engine.Options{MaxQueuedBytes: 8000}, true, engine.SlowDropOldest},
	} {
		t.Run(fmt.Sprintf("%s, polling %v, policy %v", tt.want, tt.poll, tt.policy), func(t *testing.T) {
			tt.o.SlowPolicy = tt.policy
			tt.o.PingInterval = time.Hour
			k := startSlow(t, 1, tt.o)
			s := k.client(0, tt.poll)
			s.w.then = func() {
				if len(s.w.closed) > 0 {
					t.Error("told of slowness after the end")
				}
			}
			var l ledger
			s.flood(&l, 0, 100)
			k.advance(1200 * time.Millisecond)
			if got := s.w.causes(); !slices.Equal(got, []string{tt.want}) {
				t.Fatalf("told %q", got)
			}
			s.w.ended(t, engine.ReasonTransportError)
			if e := s.w.told[0]; e.Frames == 0 || e.Bytes == 0 || e.Bytes > 100*250 {
				t.Errorf("%+v", e)
			}
			st := k.srv.Stats()
			if st.SlowClosed != 1 || st.SlowCauses[s.w.told[0].Cause] != 1 || st.Closed[engine.ReasonTransportError] != 1 {
				t.Errorf("%+v", st)
			}
			l.settled(t, k.fixture)
		})
	}
}

// A client that loses events and then takes nothing at all is closed for that.
func TestAClientThatTakesNothingIsClosedUnderDropOldestToo(t *testing.T) {
	k := startSlow(t, 1, engine.Options{MaxBlocked: time.Second, MaxQueued: 400, SlowPolicy: engine.SlowDropOldest, PingInterval: time.Hour})
	s := k.client(0, false)
	var l ledger
	for i := range 30 {
		s.flood(&l, 100*i, 100*i+100)
		k.advance(100 * time.Millisecond)
	}
	if got := s.w.causes(); !slices.Equal(got, []string{"packets, dropped", "time, closed"}) {
		t.Errorf("told %q", got)
	}
	s.w.ended(t, engine.ReasonTransportError)
	l.settled(t, k.fixture)
}

// OnSlow may do what every callback may: also panic, and end sessions.
func TestWhatIsToldOfASlowClientMayActOnIt(t *testing.T) {
	for name, then := range map[string]func(w *watcher){
		"panics":     func(*watcher) { panic("on purpose") },
		"closes":     func(w *watcher) { w.s.Close() },
		"sends more": func(w *watcher) { w.send("you are slow") },
	} {
		for _, policy := range []engine.SlowPolicy{engine.SlowClose, engine.SlowDropOldest} {
			for _, poll := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, policy %v, polling %v", name, policy, poll), func(t *testing.T) {
					k := startSlow(t, 1, engine.Options{MaxQueued: 60, SlowPolicy: policy, PingInterval: time.Hour})
					healthy, hr := k.openWS(0)
					s := k.client(0, poll)
					s.w.then = func() { then(s.w) }
					var l ledger
					s.flood(&l, 0, 300)
					if n := len(s.w.told); n != 1 {
						t.Errorf("told %d times", n)
					}
					if gone := name != "sends more" || policy == engine.SlowClose; gone {
						if n := len(s.w.closed); n != 1 {
							t.Errorf("told of the end %d times", n)
						}
					}
					k.send(hr, "fine")
					k.run()
					if got := healthy.texts(); !slices.Equal(got, []string{"4fine"}) {
						t.Errorf("the healthy client got %q", got)
					}
					if poll && policy == engine.SlowDropOldest && name == "sends more" {
						s.read()
					} else {
						_ = s.c.loop.Close(s.c)
					}
					k.advance(31 * time.Second) // farewells are forgotten
					l.settled(t, k.fixture)
				})
			}
		}
	}
}
