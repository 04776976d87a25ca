package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
)

const (
	offersDeflate = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
	agreedDeflate = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
)

var everything = &engine.Target{Groups: []string{"all"}}

// openDeflate opens a session over WebSocket with permessage-deflate, in group "all".
func (k *fakes) openDeflate(loop int) (*fakeConn, *recorder) {
	k.t.Helper()
	c := k.connect(loop)
	c.deliver(requestText("GET", wsURL, wsHeader+"\r\n"+offersDeflate+"\r\n", ""))
	if c.drain(); !strings.Contains(c.got.String(), agreedDeflate) {
		k.t.Fatalf("not agreed: %q", c.got.String())
	}
	r := k.session(parseOpen(k.t, c.handshake(k.t)).SID)
	r.s.Join("all")
	return c, r
}

// packed reports which of the frames the peer has got came compressed, and their texts.
func (c *fakeConn) packed() (texts []string, packed []bool) {
	for _, f := range c.frames() {
		texts, packed = append(texts, f.String()), append(packed, f.packed)
	}
	return texts, packed
}

func deflating() engine.Options {
	return engine.Options{PerMessageDeflate: &engine.PerMessageDeflate{}}
}

func TestABroadcastIsCompressedOnce(t *testing.T) {
	k := startFake(t, 3, deflating())
	var conns []*fakeConn
	for i := range 300 {
		c, _ := k.openDeflate(i % 3)
		conns = append(conns, c)
	}
	plain, r := k.openWS(0)
	r.s.Join("all")
	polling, r := k.openPolling(1)
	r.s.Join("all")
	k.run()
	event := strings.Repeat(`["chat",{"text":"hello"}]`, 100)
	k.publish(event, everything)
	k.run()
	for i, c := range conns {
		if texts, packed := c.packed(); !slices.Equal(texts, []string{"4" + event}) || !packed[0] {
			t.Fatalf("member %d got %.50q, compressed %v", i, texts, packed)
		}
	}
	if texts, packed := plain.packed(); !slices.Equal(texts, []string{"4" + event}) || packed[0] {
		t.Errorf("who did not ask for it got %.50q, compressed %v", texts, packed)
	}
	polling.deliver(requestText("GET", pollURL+"&sid="+r.s.ID(), "", ""))
	if got := polling.response(t); got != "4"+event {
		t.Errorf("polling got %.50q", got)
	}
	st := k.srv.Stats()
	if st.Deflated != 1 || st.DeflatedFrom != uint64(len(event)+1) || st.DeflatedTo == 0 || st.DeflatedTo*5 > st.DeflatedFrom {
		t.Errorf("%d compressions, %d bytes of %d", st.Deflated, st.DeflatedTo, st.DeflatedFrom)
	}
}

func TestWhatIsSentAsItIs(t *testing.T) {
	k := startFake(t, 1, engine.Options{PerMessageDeflate: &engine.PerMessageDeflate{Threshold: 100}})
	c, r := k.openDeflate(0)
	k.run()
	rnd := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 1000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	long := strings.Repeat("x", 200)
	for _, tt := range []struct {
		name string
		make func() *engine.Frame
		want []bool
	}{
		{"a byte less than the threshold", func() *engine.Frame { return text(strings.Repeat("x", 98)) }, []bool{false}},
		{"as long as the threshold", func() *engine.Frame { return text(strings.Repeat("x", 99)) }, []bool{true}},
		{"compress(false)", func() *engine.Frame { f := text(long); f.SetNoCompress(); return f }, []bool{false}},
		{"after it, for the flag is the frame's", func() *engine.Frame { return text(long) }, []bool{true}},
		{"noise", func() *engine.Frame { f := text("short"); f.AppendBinary(noise); return f }, []bool{false, false}},
		{"each message by its own length", func() *engine.Frame {
			f := text("short")
			f.AppendBinary([]byte(long))
			f.AppendBinary(noise)
			f.AppendBinary([]byte(long))
			return f
		}, []bool{false, true, false, true}},
	} {
		f := tt.make()
		want := f.Frames()
		r.s.Send(f)
		f.Release()
		k.run()
		if got, packed := c.packed(); !slices.Equal(got, want) || !slices.Equal(packed, tt.want) {
			t.Errorf("%s: %.50q, compressed %v, want %v", tt.name, got, packed, tt.want)
		}
	}
}

// Members with and without compression are in the same rooms: each gets all frames in
// order, in its own form, in one write.
func TestSessionsOfDifferentFormsDoNotShareBytes(t *testing.T) {
	k := startFake(t, 1, deflating())
	rnd := rand.New(rand.NewPCG(3, 4))
	type member struct {
		*fakeConn
		*recorder
		deflates bool
		want     []string
	}
	var all []*member
	for i := range 20 {
		m := &member{deflates: i%2 == 0}
		if m.deflates {
			m.fakeConn, m.recorder = k.openDeflate(0)
		} else {
			m.fakeConn, m.recorder = k.openWS(0)
			m.s.Join("all")
		}
		all = append(all, m)
	}
	k.run()
	for round := range 30 {
		writes := k.writes(func() {
			for i := range 1 + rnd.IntN(12) {
				s := strings.Repeat(fmt.Sprint(round, " ", i, ", "), 1+rnd.IntN(400))
				left := all[rnd.IntN(len(all))]
				k.publish(s, &engine.Target{Groups: []string{"all"}, ExceptSessions: []*engine.Session{left.s}})
				for _, m := range all {
					if m != left {
						m.want = append(m.want, "4"+s)
					}
				}
			}
		})
		for i, m := range all {
			got, packed := m.packed()
			if !slices.Equal(got, m.want) {
				t.Fatalf("round %d, member %d: %d frames, want %d", round, i, len(got), len(m.want))
			}
			for j, p := range packed {
				if p != (m.deflates && len(got[j]) >= 1024) {
					t.Fatalf("round %d, member %d: frame of %d bytes compressed: %v", round, i, len(got[j]), p)
				}
			}
			m.want = nil
		}
		if writes > uint64(len(all)) {
			t.Errorf("round %d: %d writes", round, writes)
		}
	}
}

// A client that reads slowly gets compressed frames whole and in order, however they
// were cut.
func TestASlowClientGetsCompressedFramesWhole(t *testing.T) {
	o := deflating()
	o.HighWaterMark = 64 << 20
	k := startFake(t, 1, o)
	c, r := k.openDeflate(0)
	c.narrow(t)
	rnd := rand.New(rand.NewPCG(5, 6))
	var want []string
	for i := range 300 {
		letters := make([]byte, 500+rnd.IntN(4000))
		for j := range letters {
			letters[j] = 'a' + byte(rnd.IntN(8)) // 3 bits each: they compress, but not to nothing
		}
		s := fmt.Sprint(i, " ", string(letters))
		want = append(want, "4"+s)
		k.send(r, s)
		if i%7 == 0 {
			k.run()
		}
	}
	k.run()
	if k.srv.Stats().QueuedBytes == 0 {
		t.Fatal("nothing waits: the test tests nothing")
	}
	var got []string
	for range 10_000 {
		got = append(got, c.texts()...)
		c.flush()
		k.advance(engine.TickLength)
		if len(got) == len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d frames, want %d", len(got), len(want))
	}
}

// Who sends compresses: a loop has others to serve.
func TestFramesAreCompressedBeforeTheLoopsGetThem(t *testing.T) {
	k := startFake(t, 2, deflating())
	large := strings.Repeat("large ", 20_000)
	k.publish(large, everything)
	if n := k.srv.Stats().Deflated; n != 0 {
		t.Fatalf("%d compressions, for nobody", n)
	}
	c, r := k.openDeflate(0)
	other, _ := k.openDeflate(1)
	k.run()
	for i, send := range []func(){func() { k.publish(large, everything) }, func() { k.send(r, large) }} {
		send()
		if n := k.srv.Stats().Deflated; n != uint64(i+1) {
			t.Errorf("%d compressions before the loops ran", n)
		}
	}
	_, plain := k.openWS(0)
	k.send(plain, large)
	k.publish("short", everything)
	k.run()
	if n := k.srv.Stats().Deflated; n != 2 {
		t.Errorf("%d compressions", n)
	}
	if a, b := len(c.texts()), len(other.texts()); a != 3 || b != 2 {
		t.Errorf("%d and %d frames", a, b)
	}
	for _, c := range k.conns {
		_ = c.loop.Close(c)
	}
	k.publish(large, everything)
	if n := k.srv.Stats().Deflated; n != 2 {
		t.Error("compressed for clients that have gone")
	}
}

func TestPublishCompressedAllocatesNothingPerDelivery(t *testing.T) {
	k := startFake(t, 1, engine.Options{
		PerMessageDeflate: &engine.PerMessageDeflate{},
		Accept:            func(s *engine.Session) engine.Receiver { s.Established(); s.Join("all"); return deaf{} },
	})
	const members = 300
	var conns []*fakeConn
	for range members {
		c := k.connect(0)
		c.deliver(requestText("GET", wsURL, wsHeader+"\r\n"+offersDeflate+"\r\n", ""))
		conns = append(conns, c)
	}
	k.run()
	event := strings.Repeat("hello ", 200)
	n := testing.AllocsPerRun(50, func() {
		f := text(event)
		k.srv.Publish(f, everything)
		f.Release()
		k.run()
		for _, c := range conns {
			c.discard()
		}
	})
	if n > 8 { // of the frame and its form; under -race pools drop some
		t.Errorf("%v allocations for a broadcast to %d", n, members)
	}
}

func TestCompressedMessagesFromClients(t *testing.T) {
	f := start(t, engine.Options{PerMessageDeflate: &engine.PerMessageDeflate{}, MaxHTTPBufferSize: 100_000})
	healthy, o := f.openWS()
	open := func() (*wsConn, *recorder) {
		c := f.dial()
		if r := c.do("GET", wsURL, "", wsHeader, offersDeflate); r.Header.Get("Sec-WebSocket-Extensions") != agreedDeflate {
			t.Fatalf("%s %v", r.Status, r.Header)
		}
		w := &wsConn{c}
		return w, f.session(parseOpen(t, w.text()).SID)
	}
	c, r := open()
	long := strings.Repeat("hello, ", 1000)
	c.frame(true, gobwas.OpText, "4plain")
	c.packed(true, gobwas.OpText, pack("4"+long))
	p := pack("\xff" + long)
	c.packed(false, gobwas.OpBinary, p[:5])
	c.frame(true, gobwas.OpPing, "")
	c.frame(true, gobwas.OpContinuation, p[5:])
	if pong := c.nextFrame(); pong.String() != "pong:" {
		t.Errorf("got %q", pong)
	}
	if a, b := receive(t, r.texts), receive(t, r.texts); a != "plain" || b != long {
		t.Errorf("got %.20q, %.20q", a, b)
	}
	if b := receive(t, r.binaries); string(b) != "\xff"+long {
		t.Errorf("got %.20q", b)
	}
	if st := f.srv.Stats(); st.Inflated != 2 || st.InflatedTo != uint64(2*len(long)+2) || st.InflatedFrom > 500 {
		t.Errorf("%d messages, %d bytes from %d", st.Inflated, st.InflatedTo, st.InflatedFrom)
	}
	for name, tt := range map[string]struct {
		payload string
		code    gobwas.StatusCode
	}{
		"more than may be": {pack(strings.Repeat("a", 100_001)), 1009},
		"a bomb":           {pack(strings.Repeat("a", 50_000_000)), 1009},
		"damaged":          {"\x07", 1007},
		"not UTF-8":        {pack("4\xff"), 1007},
	} {
		c, r := open()
		c.packed(true, gobwas.OpText, tt.payload)
		if got := c.closeCode(); got != tt.code {
			t.Errorf("%s: closed with %d, want %d", name, got, tt.code)
		}
		r.ended(t, engine.ReasonTransportError)
	}
	healthy.packed(true, gobwas.OpText, pack("4x")) // it did not ask for compression
	if got := healthy.closeCode(); got != 1002 {
		t.Errorf("without the extension: %d", got)
	}
	f.session(o.SID).ended(t, engine.ReasonTransportError)
	f.echoes(c, r)
}

// Clients with a bomb each, five at a time, of 50 KB that would become 50 MB.
func TestCompressionBombsCostTheirSendersAlone(t *testing.T) {
	f := start(t, deflating())
	bomb := pack(strings.Repeat("a", 50_000_000))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range 5 {
		var few []*wsConn
		for range 5 {
			c := f.dial()
			c.do("GET", wsURL, "", wsHeader, offersDeflate)
			w := &wsConn{c}
			w.packed(true, gobwas.OpText, bomb)
			few = append(few, w)
		}
		for _, c := range few {
			if got := c.closeCode(); got != 1009 {
				t.Errorf("closed with %d", got)
			}
		}
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.Sys) - int64(before.Sys); grown > 64<<20 {
		t.Errorf("%d MiB more from the system", grown>>20)
	}
	healthy, o := f.openWS()
	f.echoes(healthy, f.session(o.SID))
}

// packed sends a frame with RSV1.
func (c *wsConn) packed(fin bool, op gobwas.OpCode, payload string) {
	c.t.Helper()
	f := gobwas.NewFrame(op, fin, []byte(payload))
	f.Header.Rsv = gobwas.Rsv(true, false, false)
	if err := gobwas.WriteFrame(c, gobwas.MaskFrameInPlace(f)); err != nil {
		c.t.Fatal(err)
	}
}

// The WebSocket of an upgrade negotiates as any other; what was queued for polling
// leaves compressed.
func TestAnUpgradeTakesWaitingFramesAlongCompressed(t *testing.T) {
	k := startFake(t, 1, deflating())
	_, r := k.openPolling(0)
	long := strings.Repeat("long ", 500)
	k.send(r, long, "short")
	k.run()
	c := k.connect(0)
	c.deliver(requestText("GET", wsURL+"&sid="+r.s.ID(), wsHeader+"\r\n"+offersDeflate+"\r\n", ""))
	c.taken()
	c.sendText("2probe")
	c.sendText("5")
	k.run()
	if got, packed := c.packed(); !slices.Equal(got, []string{"3probe", "4" + long, "4short"}) || !slices.Equal(packed, []bool{false, true, false}) {
		t.Errorf("got %.80q, compressed %v", got, packed)
	}
}

func TestCompressionIsOffUnlessAskedFor(t *testing.T) {
	f := start(t, engine.Options{})
	r := f.dial().do("GET", wsURL, "", wsHeader, offersDeflate)
	if r.StatusCode != 101 || r.Header["Sec-Websocket-Extensions"] != nil {
		t.Errorf("%s %v", r.Status, r.Header)
	}
}

func TestOffersOfCompression(t *testing.T) {
	f := start(t, engine.Options{PerMessageDeflate: &engine.PerMessageDeflate{WindowBits: 12}})
	for offer, want := range map[string]string{
		"permessage-deflate":                            agreedDeflate + "; server_max_window_bits=12",
		"permessage-deflate; server_max_window_bits=11": "",
		"permessage-deflate; constructor, x-other":      "",
		`permessage-deflate; x="`:                       "400",
		";;;,,,===":                                     "400",
	} {
		r := f.dial().do("GET", wsURL, "", wsHeader, "Sec-WebSocket-Extensions: "+offer)
		switch {
		case want == "400":
			if r.StatusCode != 400 || r.body != "Invalid or unacceptable Sec-WebSocket-Extensions header" {
				t.Errorf("%q: %s %q", offer, r.Status, r.body)
			}
		case r.StatusCode != 101 || r.Header.Get("Sec-WebSocket-Extensions") != want:
			t.Errorf("%q: %s %v, want %q", offer, r.Status, r.Header, want)
		}
	}
}

func TestNewSaysWhatCompressionItCannotDo(t *testing.T) {
	for _, d := range []engine.PerMessageDeflate{{Level: 10}, {Level: -1}, {WindowBits: 8}, {WindowBits: 16}} {
		_, err := engine.New(engine.Options{Accept: func(*engine.Session) engine.Receiver { return deaf{} }, PerMessageDeflate: &d})
		if !errors.Is(err, engine.ErrBadDeflate) {
			t.Errorf("%+v: %v", d, err)
		}
	}
}

// A frame is compressed once, though all loops ask for it at the same time.
func TestLoopsThatAskAtOnceGetTheSameBytes(t *testing.T) {
	o := deflating()
	o.Loops = 2
	f := start(t, o)
	const clients = 20
	var all []*wsConn
	for range clients {
		c := f.dial()
		c.do("GET", wsURL, "", wsHeader, offersDeflate)
		w := &wsConn{c}
		f.session(parseOpen(t, w.text()).SID).s.Join("all")
		all = append(all, w)
	}
	const events = 50
	for i := range events {
		fr := text(strings.Repeat(fmt.Sprint("event ", i, " "), 300))
		f.srv.Publish(fr, everything)
		fr.Release()
	}
	for i := range events {
		want := []byte("4" + strings.Repeat(fmt.Sprint("event ", i, " "), 300))
		for _, c := range all {
			if got := c.nextFrame(); !got.packed || !bytes.Equal(got.payload, want) {
				t.Fatalf("event %d: compressed %v, %.30q", i, got.packed, got.payload)
			}
		}
	}
	if n := f.srv.Stats().Deflated; n != events {
		t.Errorf("%d compressions for %d broadcasts", n, events)
	}
}
