package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// A connection's descriptor number belongs to somebody else as soon as it is
// closed: a byte written to it then is a stranger's to read.

// stranger is a connection that the engine knows nothing of, on a number that was
// just freed.
type stranger struct{ fd, peer int }

// squat takes the number fd, which is free, for a stranger.
func squat(t *testing.T, fd int) stranger {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := stranger{pair[0], pair[1]}
	if pair[1] == fd {
		s = stranger{pair[1], pair[0]}
	}
	var lower []int // numbers below fd that are free too
	for s.fd != fd {
		n, err := syscall.Dup(s.fd)
		if err != nil {
			t.Fatal(err)
		}
		lower = append(lower, s.fd)
		if s.fd = n; n > fd {
			t.Skipf("descriptor %d was taken by something else", fd)
		}
	}
	for _, n := range lower {
		_ = syscall.Close(n)
	}
	if err := syscall.SetNonblock(s.peer, true); err != nil {
		t.Fatal(err)
	}
	return s
}

// leave requires that nothing arrived, and frees the number.
func (s stranger) leave(t *testing.T) {
	t.Helper()
	var b [4096]byte
	n, err := syscall.Read(s.peer, b[:])
	if !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("a stranger's connection got %d bytes: %q (%v)", n, b[:max(n, 0)], err)
	}
	_ = syscall.Close(s.fd)
	_ = syscall.Close(s.peer)
}

func TestNothingIsWrittenToAClosedConnection(t *testing.T) {
	big := strings.Repeat("b", 100_000)
	ways := map[string]func(k *fakes) (*fakeConn, *recorder){
		"websocket": func(k *fakes) (*fakeConn, *recorder) { return k.openWS(0) },
		"websocket, blocked": func(k *fakes) (*fakeConn, *recorder) {
			c, r := k.openWS(0)
			c.narrow(t)
			for range 5 {
				r.send(big)
			}
			k.run()
			if len(c.out) == 0 {
				t.Fatal("not blocked")
			}
			return c, r
		},
		"held poll": func(k *fakes) (*fakeConn, *recorder) {
			c, r := k.openPolling(0)
			c.deliver(requestText("GET", pollURL+"&sid="+r.s.ID(), "", ""))
			return c, r
		},
		"poll behind a response that does not leave": func(k *fakes) (*fakeConn, *recorder) {
			c, r := k.openPolling(0)
			c.narrow(t)
			r.send(big)
			k.run()
			url := pollURL + "&sid=" + r.s.ID()
			c.deliver(append(requestText("GET", url, "", ""), requestText("GET", url, "", "")...))
			if len(c.out) == 0 {
				t.Fatal("not blocked")
			}
			return c, r
		},
		"probe": func(k *fakes) (*fakeConn, *recorder) {
			_, r := k.openPolling(0)
			c := k.connect(0)
			c.deliver(requestText("GET", wsURL+"&sid="+r.s.ID(), wsHeader+"\r\n", ""))
			c.sendText("2probe")
			return c, r
		},
		"half a POST": func(k *fakes) (*fakeConn, *recorder) {
			c, r := k.openPolling(0)
			c.deliver(requestText("POST", pollURL+"&sid="+r.s.ID(), "Content-Length: 100\r\n", "4ab"))
			return c, r
		},
		"saying goodbye": func(k *fakes) (*fakeConn, *recorder) {
			c, r := k.openWS(0)
			r.s.Close()
			k.run()
			return c, r
		},
	}
	for name, open := range ways {
		t.Run(name, func(t *testing.T) {
			k := startFake(t, 1, engine.Options{})
			c, r := open(k)
			r.s.Join("all")
			k.run()
			_ = c.loop.Close(c)
			s := squat(t, c.fd)
			writes := c.writes
			for _, m := range []string{"small", big} {
				r.send(m)
				f := text(m)
				k.srv.Publish(f, &engine.Target{Groups: []string{"all"}, Sessions: []*engine.Session{r.s}})
				f.Release()
			}
			r.s.Run(func() { r.s.Close() })
			c.deliver([]byte("more"))
			k.run()
			k.advance(100 * time.Millisecond)
			k.srv.Ticking(engine.Ticks(time.Minute))
			k.run()
			s.leave(t)
			if c.writes != writes {
				t.Errorf("%d writes to gnet after close", c.writes-writes)
			}
		})
	}
}

// A write that fails closes the connection from inside, and the number may be
// somebody else's before the caller goes on.
func TestNothingFollowsAWriteThatClosedTheConnection(t *testing.T) {
	big := strings.Repeat("b", 300_000)
	k := startFake(t, 1, engine.Options{})
	var squatters []stranger
	k.loops[0].freed = func(fd int) { squatters = append(squatters, squat(t, fd)) }
	for i := range 3 {
		c, r := k.openWS(0)
		c.narrow(t)
		if i == 1 { // blocked: what is queued goes through gnet first
			r.send(big)
			r.send(big)
			k.run()
			c.drain()
			c.flush()
			c.out = nil // as if the kernel had taken it, and the peer died then
		}
		c.vanish()
		r.send("x")
		r.send(big)
		r.send("y")
		if i == 2 {
			c.sendText("4ask")
		}
		k.run()
		k.advance(50 * time.Millisecond)
		if !c.closed {
			t.Errorf("connection %d outlived its peer", i)
		}
		if got := receive(t, r.closed); got != engine.ReasonTransportClose {
			t.Errorf("reason: %q", got)
		}
	}
	if len(squatters) != 3 {
		t.Fatalf("%d connections closed", len(squatters))
	}
	for _, s := range squatters {
		s.leave(t)
	}
}

// Members that die while a broadcast walks over them take nobody else's copy away,
// whatever their Receivers do about it.
func TestMembersMayDieInMidWalk(t *testing.T) {
	const n = 5 * engine.TurnWrites
	k := startFake(t, 1, engine.Options{})
	var conns []*fakeConn
	var rs []*recorder
	for i := range n {
		c, r := k.openWS(0)
		r.s.Join("all")
		r.s.Join(fmt.Sprint("third ", i%3))
		conns, rs = append(conns, c), append(rs, r)
	}
	k.run()
	f := text("first")
	k.srv.Publish(f, &engine.Target{Groups: []string{"all", "third 1", "third 0"}})
	f.Release()
	for i, r := range rs {
		if i%3 == 0 {
			conns[i].vanish()
		}
		if i%7 == 0 {
			r.s.Leave("all")
		}
	}
	for k.loops[0].runOne() { // a part of the walk; then some more peers are gone
		for i := range conns {
			if i%30 == 1 {
				conns[i].vanish()
			}
		}
	}
	k.run()
	second := text("second")
	k.srv.Publish(second, &engine.Target{Groups: []string{"all", "third 1", "third 2"}})
	second.Release()
	k.run()
	for i, c := range conns {
		if c.peer < 0 {
			if !c.closed {
				t.Errorf("dead member %d is still open", i)
			}
			continue
		}
		if got := strings.Join(c.texts(), " "); got != "4first 4second" {
			t.Errorf("member %d got %q", i, got)
		}
	}
}
