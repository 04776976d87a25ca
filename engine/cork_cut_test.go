package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// takes is how many bytes a narrow connection takes of more than that.
func (k *fakes) takes() int {
	k.t.Helper()
	c, _ := k.openWS(0)
	c.narrow(k.t)
	n := c.stuff(k.t, 60_000)
	if n < 1000 || n > 30_000 {
		k.t.Fatalf("a narrow connection takes %d bytes", n)
	}
	return n
}

// stuff writes bytes past the server, and returns how many of them were taken.
func (c *fakeConn) stuff(t testing.TB, bytes int) int {
	t.Helper()
	n, err := syscall.Write(c.fd, make([]byte, bytes))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// cutParts are frames of many kinds whose beginnings and ends are places to cut at,
// with a long one on either side: the first has that many bytes.
func cutParts(l *ledger, ahead int) (parts []*engine.Frame) {
	const header = 5 // of a frame of 126 bytes or more, and the type digit
	kept := l.frame("kept")
	kept.SetKept()
	return []*engine.Frame{
		l.frame(strings.Repeat("a", ahead-header)),
		l.volatile("volatile first"), l.frame("a"), l.frame(""), l.volatile("volatile"), l.volatile("another"),
		l.frame("binary event", []byte("one"), nil, []byte(strings.Repeat("2", 130))), l.frame(strings.Repeat("b", 126)),
		l.volatile("volatile between"), kept,
		l.frame(strings.Repeat("z", 20_000)),
	}
}

// Wherever the kernel cuts a write of many frames: the client gets all of them whole,
// once, in order, but for volatile ones that begin behind the cut.
func TestAWriteOfManyFramesMayBeCutAnywhere(t *testing.T) {
	k := startFake(t, 1, engine.Options{PingInterval: time.Hour})
	takes := k.takes()
	var sizes ledger
	small := 0
	for _, f := range cutParts(&sizes, 1000)[1:10] {
		small += f.Size()
	}
	for cut := -10; cut < small+20; cut++ { // in bytes, from the end of the first long frame
		c, r := k.openWS(0)
		c.narrow(t)
		var l ledger
		at := 0
		var want []string
		for _, f := range cutParts(&l, takes-cut) {
			r.s.Send(f)
			if at < takes || !f.Volatile() {
				want = append(want, f.Frames()...)
			}
			at += f.Size()
		}
		k.run()
		if c.drain(); c.got.Len() != takes {
			t.Fatalf("cut %d: the kernel took %d bytes, before %d", cut, c.got.Len(), takes)
		}
		if got := k.received(c); !slices.Equal(got, want) {
			t.Fatalf("cut %d bytes behind the first frame\n got %s\nwant %s", cut, brief(got), brief(want))
		}
		k.send(r, "and on")
		k.run()
		if got := c.texts(); !slices.Equal(got, []string{"4and on"}) {
			t.Fatalf("cut %d: then got %q", cut, got)
		}
		l.settled(t, k.fixture)
		_ = c.loop.Close(c)
	}
	if n := k.srv.Stats().SlowClosed; n != 0 {
		t.Errorf("%d clients closed", n)
	}
}

// The same with several sessions at one cork, each cut elsewhere: from before the first
// byte to behind the last.
func TestSessionsThatShareAWriteAreCutEachAtItsOwnPlace(t *testing.T) {
	const members = 40
	k := startFake(t, 1, engine.Options{PingInterval: time.Hour})
	takes := k.takes()
	var conns []*fakeConn
	var stuffed []int
	for i := range members {
		c, r := k.openWS(0)
		r.s.Join("all")
		n := 0
		if i > 0 {
			c.narrow(t)
			n = c.stuff(t, takes*i/(members-1))
		}
		conns, stuffed = append(conns, c), append(stuffed, n)
	}
	k.run()
	var l ledger
	var want []string
	for i := range 16 {
		f := l.frame(fmt.Sprint(i, strings.Repeat("x", i*97)), []byte(strings.Repeat("y", i*11)))
		k.srv.Publish(f, &engine.Target{Groups: []string{"all"}})
		want = append(want, f.Frames()...)
	}
	k.run()
	for i, c := range conns {
		c.drain()
		c.got.Next(stuffed[i])
		if got := k.received(c); !slices.Equal(got, want) {
			t.Fatalf("member %d\n got %s\nwant %s", i, brief(got), brief(want))
		}
	}
	if held, corks := k.srv.HeldNow(); held != 0 || corks != 0 {
		t.Errorf("%d held, %d corks", held, corks)
	}
	l.settled(t, k.fixture)
}
