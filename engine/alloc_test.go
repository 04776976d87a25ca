package engine_test

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
)

// deaf is a Receiver that keeps nothing.
type deaf struct{}

func (deaf) Text([]byte) error    { return nil }
func (deaf) Binary([]byte) error  { return nil }
func (deaf) Closed(engine.Reason) {}

// bin is where discarded bytes go.
var bin [64 << 10]byte

func (c *fakeConn) discard() {
	for {
		if n, _ := syscall.Read(c.peer, bin[:]); n <= 0 {
			return
		}
	}
}

// deafFakes has n WebSocket sessions with Receivers that keep nothing.
func deafFakes(t testing.TB, n int) (k *fakes, conns []*fakeConn, sessions []*engine.Session) {
	t.Helper()
	k = startFake(t, 1, engine.Options{
		PingInterval: time.Second,
		Accept: func(s *engine.Session) engine.Receiver {
			s.Established()
			sessions = append(sessions, s)
			return deaf{}
		},
	})
	for range n {
		c := k.connect(0)
		c.deliver(requestText("GET", wsURL, wsHeader+"\r\n", ""))
		c.discard()
		conns = append(conns, c)
	}
	return k, conns, sessions
}

func TestPublishAllocatesNothingPerDelivery(t *testing.T) {
	for _, members := range []int{1, 300} { // less than a turn, and several
		k, conns, sessions := deafFakes(t, members)
		for _, s := range sessions {
			s.Join("all")
		}
		k.run()
		f := text("0123456789abcdef")
		to := &engine.Target{Groups: []string{"all"}, ExceptSessions: sessions[:0]}
		allocs := testing.AllocsPerRun(100, func() {
			k.srv.Publish(f, to)
			k.run()
			for _, c := range conns {
				c.discard()
			}
		})
		if allocs > 0 {
			t.Errorf("%d members: %v allocations per publish", members, allocs)
		}
		f.Release()
	}
}

func TestSendAllocatesNothing(t *testing.T) {
	k, conns, sessions := deafFakes(t, 1)
	f := text("0123456789abcdef")
	defer f.Release()
	if n := testing.AllocsPerRun(1000, func() {
		sessions[0].Send(f)
		k.run()
		conns[0].discard()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestReceivingAllocatesNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		op      gobwas.OpCode
		payload string
	}{
		"text":            {gobwas.OpText, "4hello, world"},
		"long text":       {gobwas.OpText, "4" + string(bytes.Repeat([]byte("x"), 2000))},
		"binary":          {gobwas.OpBinary, "hello, world"},
		"pong":            {gobwas.OpText, "3"},
		"websocket pings": {gobwas.OpPing, "payload"},
	} {
		k, conns, _ := deafFakes(t, 1)
		masked := gobwas.MustCompileFrame(gobwas.MaskFrame(gobwas.NewFrame(tt.op, true, []byte(tt.payload))))
		b := make([]byte, len(masked))
		if n := testing.AllocsPerRun(1000, func() {
			copy(b, masked) // unmasked in place
			conns[0].deliver(b)
			conns[0].discard()
		}); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		k.run()
	}
}

func TestPingAndPongAllocateNothing(t *testing.T) {
	k, conns, _ := deafFakes(t, 1)
	masked := gobwas.MustCompileFrame(gobwas.MaskFrame(gobwas.NewTextFrame([]byte("3"))))
	b := make([]byte, len(masked))
	if n := testing.AllocsPerRun(100, func() {
		k.srv.Ticking(engine.Ticks(time.Second)) // the ping falls due
		k.run()
		conns[0].discard()
		copy(b, masked)
		conns[0].deliver(b)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// What a connection and a session weigh is part of the promise of how many fit
// into a machine; the numbers are size classes of the allocator.
func TestSizes(t *testing.T) {
	for name, budget := range map[string]uintptr{
		"Session": 160, "Request": 64, "conn": 96, "httpState": 48, "polling": 80, "wsState": 48, "outQueue": 112,
	} {
		if got := engine.Sizes[name]; got > budget {
			t.Errorf("%s: %d bytes, budget %d", name, got, budget)
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, members := range []int{1, 100, 1000} {
		for _, size := range []int{16, 125, 1024} {
			b.Run(fmt.Sprintf("members=%d/bytes=%d", members, size), func(b *testing.B) {
				k, conns, sessions := deafFakes(b, members)
				for _, s := range sessions {
					s.Join("all")
				}
				k.run()
				f := text(string(bytes.Repeat([]byte("x"), size)))
				to := &engine.Target{Groups: []string{"all"}}
				b.ReportAllocs()
				for b.Loop() {
					k.srv.Publish(f, to)
					k.run()
					b.StopTimer()
					for _, c := range conns {
						c.discard()
					}
					b.StartTimer()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(members), "ns/recipient")
				f.Release()
			})
		}
	}
}

func BenchmarkReceive(b *testing.B) {
	for _, size := range []int{16, 125, 1024, 65_536} {
		b.Run(fmt.Sprintf("bytes=%d", size), func(b *testing.B) {
			_, conns, _ := deafFakes(b, 1)
			masked := gobwas.MustCompileFrame(gobwas.MaskFrame(gobwas.NewTextFrame(append([]byte("4"), bytes.Repeat([]byte("x"), size)...))))
			buf := make([]byte, len(masked))
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				copy(buf, masked)
				conns[0].deliver(buf)
			}
		})
	}
}
