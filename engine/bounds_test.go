package engine_test

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
)

// A peer that probes again and again, and takes no answer, is answered as far as a
// control queue goes, and no further.
func TestAProbeFloodIsBounded(t *testing.T) {
	f := start(t, engine.Options{SendBuffer: 4096})
	_, o := f.openPolling()
	w := f.upgradeWS(wsURL + "&sid=" + o.SID)
	_ = w.tcp().SetReadBuffer(4096)
	var one bytes.Buffer
	if err := gobwas.WriteFrame(&one, gobwas.MaskFrameInPlace(gobwas.NewTextFrame([]byte("2probe")))); err != nil {
		t.Fatal(err)
	}
	flood := bytes.Repeat(one.Bytes(), 4096)
	before := heapInUse()
	for range 100 { // 5 MB; answered one by one they would keep some 18 MB
		if _, err := w.Write(flood); err != nil {
			t.Fatal(err)
		}
	}
	if grown := heapInUse() - before; grown > 8<<20 {
		t.Errorf("the heap has grown by %d MiB", grown>>20)
	}
}

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Whoever takes what it is sent gets a message of any size.
func TestAMessageOverTheMarkReachesAClientThatWaits(t *testing.T) {
	big := strings.Repeat("x", 1<<20)
	f := start(t, engine.Options{})
	c, o := f.openPolling()
	c.request("GET", pollURL+"&sid="+o.SID, "")
	f.session(o.SID).send(big)
	if got := c.read("GET").body; got != "4"+big {
		t.Errorf("polling: %d bytes, %.10q", len(got), got)
	}
	w, o := f.openWS()
	f.session(o.SID).send(big)
	if got := w.text(); got != "4"+big {
		t.Errorf("websocket: %d bytes", len(got))
	}
}

// An answer larger than mark and kernel buffer together arrives whole.
func TestABigAnswerIsNotCut(t *testing.T) {
	f := start(t, engine.Options{SendBuffer: 4096})
	c, o := f.openPolling()
	r := f.session(o.SID)
	binary := make([]byte, 100_000)
	for range 10 {
		fr := engine.NewFrame(0)
		fr.End(append(fr.Begin(), "51-[{}]"...))
		fr.AppendBinary(binary)
		r.s.Send(fr)
		fr.Release()
	}
	for r.s.PollState().Queued < 10 {
		runtime.Gosched()
	}
	const want = 10*(len("451-[{}]")+1+len("b")+(100_000+2)/3*4) + 9
	if got := len(c.do("GET", pollURL+"&sid="+o.SID, "").body); got != want {
		t.Errorf("%d bytes of %d", got, want)
	}
}
