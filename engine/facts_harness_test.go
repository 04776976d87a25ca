package engine_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
)

// violation is the text that the receivers of these tests take for a breach of the
// protocol above.
const violation = "violation"

var errViolation = errors.New("test: not a packet of the floor above")

// startFacts runs a server whose receivers refuse the empty text and violation.
func startFacts(t testing.TB, o engine.Options, tune ...func(*fixture)) *fixture {
	t.Helper()
	return start(t, o, append(tune, func(f *fixture) {
		f.onText = func(r *recorder, text string) error {
			if text == "" || text == violation {
				return errViolation
			}
			r.texts <- text
			return nil
		}
	})...)
}

// use lends the server to a subtest: its failures and its clients belong to t.
func (f *fixture) use(t testing.TB) *fixture {
	whole := f.t
	f.t = t
	t.Cleanup(func() { f.t = whole })
	return f
}

// fact runs a subtest on the same server.
func (f *fixture) fact(t *testing.T, name string, fact func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { fact(t, f.use(t)) })
}

// until polls for what must become true.
func until(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for !cond() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("never came true: %s", what)
		}
	}
}

// expect requires these very bytes next, or what net/http makes of them.
func (c *rawConn) expect(want string) {
	c.t.Helper()
	if c.in && strings.HasPrefix(want, "HTTP/1.1 ") {
		c.answered(want)
	} else {
		c.exactly(want)
	}
}

func (c *rawConn) exactly(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	n, err := io.ReadFull(c.br, got)
	if err != nil || string(got) != want {
		more, _ := c.br.Peek(c.br.Buffered())
		c.t.Fatalf("got %q (%v), want %q", string(got[:n])+string(more), err, want)
	}
}

// httpAnswer is a whole response of the engine; lines are further header lines.
func httpAnswer(status, contentType, body string, lines ...string) string {
	var b strings.Builder
	b.WriteString("HTTP/1.1 " + status + "\r\n")
	if contentType != "" {
		b.WriteString("Content-Type: " + contentType + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	for _, l := range lines {
		b.WriteString(l + "\r\n")
	}
	return b.String() + "\r\n" + body
}

const (
	plain       = "text/plain; charset=UTF-8"
	closeLine   = "Connection: close"
	noStoreLine = "cache-control: no-store"
)

// polled is the answer to a GET with these packets.
func polled(packets ...string) string {
	return httpAnswer("200 OK", plain, strings.Join(packets, sep), noStoreLine)
}

// postedOK is the answer to a POST.
var postedOK = httpAnswer("200 OK", "text/html", "ok")

// codeError is one of the six request errors over plain HTTP.
func codeError(code int, message string, lines ...string) string {
	status := "400 Bad Request"
	if code == 4 {
		status = "403 Forbidden"
	}
	return httpAnswer(status, "application/json", fmt.Sprintf(`{"code":%d,"message":%q}`, code, message), lines...)
}

// bare is an answer without type and body.
func bare(status string, lines ...string) string { return httpAnswer(status, "", "", lines...) }

// poller is a session that polls: one connection for its GETs, one for its POSTs.
type poller struct {
	f         *fixture
	get, post *rawConn
	sid, url  string
	r         *recorder
}

func (f *fixture) poller() *poller {
	f.t.Helper()
	get, o := f.openPolling()
	return &poller{f: f, get: get, post: f.dial(), sid: o.SID, url: pollURL + "&sid=" + o.SID, r: f.session(o.SID)}
}

// hold sends a GET and waits until the server holds it.
func (p *poller) hold() {
	p.f.t.Helper()
	p.get.request("GET", p.url, "")
	until(p.f.t, "the GET is held", func() bool { return p.r.s.PollState().Get })
}

// begin sends the head of a POST of n bytes and the beginning of its body, and
// waits until the server reads it.
func (p *poller) begin(n int, part string) {
	p.f.t.Helper()
	p.post.write(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", p.url, n, part))
	until(p.f.t, "the POST is read", func() bool { return p.r.s.PollState().Post })
}

// gone requires that the server has forgotten the session.
func (p *poller) gone() {
	p.f.t.Helper()
	c := p.f.dial()
	c.request("GET", p.url, "")
	c.expect(codeError(1, "Session ID unknown"))
}

// alive requires that the session answers.
func (p *poller) alive() {
	p.f.t.Helper()
	c := p.f.dial()
	c.request("POST", p.url, "4alive?")
	c.expect(postedOK)
	if got := receive(p.f.t, p.r.texts); got != "alive?" {
		p.f.t.Fatalf("received %q", got)
	}
}

// open opens a WebSocket for the session's upgrade.
func (p *poller) open() *wsConn {
	p.f.t.Helper()
	return p.f.upgradeWS(wsURL + "&sid=" + p.sid)
}

// probe opens a WebSocket and probes it.
func (p *poller) probe() *wsConn {
	p.f.t.Helper()
	w := p.open()
	w.sendText("2probe")
	if got := w.text(); got != "3probe" {
		p.f.t.Fatalf("probe: %q", got)
	}
	return w
}

// ended requires the reason for which the session ended.
func (r *recorder) ended(t testing.TB, want engine.Reason) {
	t.Helper()
	if got := r.reason(t); got != want {
		t.Fatalf("ended with %q, want %q", got, want)
	}
}

// frame sends one masked client frame.
func (c *wsConn) frame(fin bool, op gobwas.OpCode, payload string) {
	c.t.Helper()
	b := gobwas.MaskFrameInPlace(gobwas.NewFrame(op, fin, []byte(payload)))
	if err := gobwas.WriteFrame(c, b); err != nil {
		c.t.Fatal(err)
	}
}

// nextFrame reads one frame of any kind.
func (c *wsConn) nextFrame() frame {
	c.t.Helper()
	f, err := readFrame(c.br)
	if err != nil {
		c.t.Fatalf("reading a frame: %v", err)
	}
	return f
}

// closes requires a close frame with that code, answers it and requires the end.
func (c *wsConn) closes(want gobwas.StatusCode) {
	c.t.Helper()
	if got := c.closeCode(); got != want {
		c.t.Fatalf("closed with %d, want %d", got, want)
	}
	c.frame(true, gobwas.OpClose, "")
	c.eof()
}

// reset closes the connection with a RST.
func (c *rawConn) reset() {
	_ = c.tcp().SetLinger(0)
	_ = c.Close()
}

// echoes requires that the WebSocket session takes and sends messages.
func (f *fixture) echoes(c *wsConn, r *recorder) {
	f.t.Helper()
	c.sendText("4ask")
	if got := receive(f.t, r.texts); got != "ask" {
		f.t.Fatalf("received %q", got)
	}
	r.send("answer")
	if got := c.text(); got != "4answer" {
		f.t.Fatalf("sent %q", got)
	}
}
