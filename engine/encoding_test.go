package engine_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

// decoded returns a poll's answer as a client has it, and the coding it came in.
func decoded(t testing.TB, r response) (body, coding string) {
	t.Helper()
	var in io.Reader = strings.NewReader(r.body)
	var err error
	switch coding = r.Header.Get("Content-Encoding"); coding {
	case "gzip":
		in, err = gzip.NewReader(in)
	case "deflate":
		in, err = zlib.NewReader(in)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != plain || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s %v", r.Status, r.Header)
	}
	return string(b), coding
}

// sends queues frames for the poller and polls.
func (p *poller) sends(t testing.TB, accept string, frames ...*engine.Frame) (body, coding string) {
	t.Helper()
	for _, f := range frames {
		p.r.s.Send(f)
		f.Release()
	}
	until(t, "all wait", func() bool { return p.r.s.PollState().Queued == len(frames) })
	if accept == "" {
		return decoded(t, p.get.do("GET", p.url, ""))
	}
	return decoded(t, p.get.do("GET", p.url, "", "Accept-Encoding: "+accept))
}

func uncompressed(s string) *engine.Frame {
	f := text(s)
	f.SetNoCompress()
	return f
}

// Node compresses an answer of 1,024 bytes or more if a packet in it has compress on.
func fact25(t *testing.T, f *fixture) {
	p := f.poller()
	long := strings.Repeat("x", 1023) // 1,024 with the packet's type
	for _, tt := range []struct {
		name, accept string
		frames       []*engine.Frame
		want, coding string
	}{
		{"gzip", "gzip, deflate, br", []*engine.Frame{text(long)}, "4" + long, "gzip"},
		{"deflate", "deflate, gzip;q=0.5", []*engine.Frame{text(long)}, "4" + long, "deflate"},
		{"neither", "br, identity", []*engine.Frame{text(long)}, "4" + long, ""},
		{"not asked for", "", []*engine.Frame{text(long)}, "4" + long, ""},
		{"a byte too short", "gzip", []*engine.Frame{text(long[1:])}, "4" + long[1:], ""},
		{"compress(false)", "gzip", []*engine.Frame{uncompressed(long)}, "4" + long, ""},
		{"compress(false), all of them", "gzip", []*engine.Frame{uncompressed(long), uncompressed("x")}, "4" + long + sep + "4x", ""},
		{"one of them with compress", "gzip", []*engine.Frame{uncompressed(long), text("x")}, "4" + long + sep + "4x", "gzip"},
		{"long together", "deflate", []*engine.Frame{text(long[:511]), text(long[:511])}, "4" + long[:511] + sep + "4" + long[:511], "deflate"},
	} {
		if got, coding := p.sends(t, tt.accept, tt.frames...); got != tt.want || coding != tt.coding {
			t.Errorf("%s: %.40q... of %d bytes, in %q; want %d bytes in %q", tt.name, got, len(got), coding, len(tt.want), tt.coding)
		}
	}
	p.get.request("GET", p.url, "", "Accept-Encoding: gzip") // a poll that is held
	until(t, "the GET is held", func() bool { return p.r.s.PollState().Get })
	p.r.send(long)
	if got, coding := decoded(t, p.get.read("GET")); got != "4"+long || coding != "gzip" {
		t.Errorf("held: %.40q, %q", got, coding)
	}
	p.r.send(long)
	p.r.s.Close()
	p.r.ended(t, engine.ReasonForcedClose)
	if got, coding := decoded(t, p.get.do("GET", p.url, "", "Accept-Encoding: gzip")); got != "4"+long || coding != "gzip" {
		t.Errorf("farewell: %.40q..., %q", got, coding)
	}
}

func TestPollsOfTheSameFrameShareItsCompression(t *testing.T) {
	k := startFake(t, 2, engine.Options{})
	const clients = 40
	type client struct {
		*fakeConn
		coding string
	}
	var all []client
	for i := range clients {
		c, r := k.openPolling(i % 2)
		r.s.Join("all")
		coding := []string{"gzip", "gzip", "deflate", ""}[i%4]
		k.run()
		c.deliver(requestText("GET", pollURL+"&sid="+r.s.ID(), "Accept-Encoding: "+coding+"\r\n", ""))
		all = append(all, client{c, coding})
	}
	event := strings.Repeat("hello, ", 300)
	k.publish(event, everything)
	k.run()
	for i, c := range all {
		c.drain()
		r := readResponse(t, &c.got)
		if got, coding := decoded(t, r); got != "4"+event || coding != c.coding {
			t.Errorf("client %d: %.30q in %q, want %q", i, got, coding, c.coding)
		}
	}
	if st := k.srv.Stats(); st.Encoded != 2 || st.EncodedFrom != 2*uint64(len(event)+1) || st.EncodedTo*10 > st.EncodedFrom {
		t.Errorf("%d compressions, %d bytes of %d", st.Encoded, st.EncodedTo, st.EncodedFrom)
	}
}

func readResponse(t testing.TB, b *bytes.Buffer) response {
	t.Helper()
	c := &rawConn{t: t, br: bufio.NewReader(b)}
	return c.read("GET")
}

func TestAnswersThatStayAsTheyAre(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 4000)
	for i := range noise {
		noise[i] = ' ' + byte(rnd.IntN(95)) // 6.6 bits each
	}
	long := strings.Repeat("x", 5000)
	for _, tt := range []struct {
		name string
		o    engine.HTTPCompression
		text string
		want string
	}{
		{"by default", engine.HTTPCompression{}, long, "gzip"},
		{"off", engine.HTTPCompression{Off: true}, long, ""},
		{"below the threshold", engine.HTTPCompression{Threshold: 5002}, long, ""},
		{"at the threshold", engine.HTTPCompression{Threshold: 5001}, long, "gzip"},
		{"at the largest size", engine.HTTPCompression{MaxSize: 5001}, long, "gzip"},
		{"above the largest size", engine.HTTPCompression{MaxSize: 5000}, long, ""},
		{"level 9", engine.HTTPCompression{Level: 9}, long, "gzip"},
	} {
		f := start(t, engine.Options{HTTPCompression: tt.o})
		p := f.poller()
		if got, coding := p.sends(t, "gzip", text(tt.text)); got != "4"+tt.text || coding != tt.want {
			t.Errorf("%s: %.30q in %q, want %q", tt.name, got, coding, tt.want)
		}
	}
	f := start(t, engine.Options{MaxHTTPBufferSize: 1 << 20})
	p := f.poller()
	for range 50 { // the pooled compressors keep nothing of the one before
		s := string(noise[:1023+rnd.IntN(2000)])
		if got, _ := p.sends(t, "gzip", text(s), text("x")); got != "4"+s+sep+"4x" {
			t.Fatalf("got %.30q", got)
		}
	}
}

func TestNewSaysWhichLevelOfHTTPCompressionThereIsNot(t *testing.T) {
	for _, level := range []int{-1, 10} {
		_, err := engine.New(engine.Options{
			Accept: func(*engine.Session) engine.Receiver { return deaf{} }, HTTPCompression: engine.HTTPCompression{Level: level},
		})
		if !errors.Is(err, engine.ErrBadHTTPCompression) {
			t.Errorf("level %d: %v", level, err)
		}
	}
}
