package socketio_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// pollGzip is a client that polls and takes gzip.
type pollGzip struct {
	testing.TB
	url string
}

func (p *pollGzip) do(method, body string) (string, http.Header) {
	p.Helper()
	q, err := http.NewRequest(method, p.url, strings.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	q.Header.Set("Accept-Encoding", "gzip") // by hand: net/http leaves the answer as it is
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		p.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		p.Fatalf("%s %q, %v", r.Status, b, err)
	}
	return string(b), r.Header
}

func TestCompressFalseKeepsAnEventAsItIs(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{}))
	connected := make(chan *socketio.Socket, 1)
	io.OnConnect(func(_ ctxt, s *socketio.Socket) error { connected <- s; return nil })
	p := &pollGzip{t, "http://" + start(t, io) + "/socket.io/?EIO=4&transport=polling"}
	defer http.DefaultClient.CloseIdleConnections()
	open, _ := p.do("GET", "")
	_, sid, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ = strings.Cut(sid, `"`)
	p.url += "&sid=" + sid
	p.do("POST", "40")
	p.do("GET", "") // the answer to CONNECT
	s := <-connected
	long := strings.Repeat("x", 2000)
	for name, tt := range map[string]struct {
		emit socketio.Emitter
		want string
	}{
		"a socket":                 {s, "gzip"},
		"a socket, not compressed": {s.Compress(false), ""},
		"all":                      {io, "gzip"},
		"all, not compressed":      {io.Compress(false), ""},
		"compressed after all":     {io.Compress(false).Compress(true), "gzip"},
	} {
		if err := tt.emit.Emit("event", long); err != nil {
			t.Fatal(err)
		}
		body, header := p.do("GET", "")
		if got := header.Get("Content-Encoding"); got != tt.want || (got == "") != strings.Contains(body, long) {
			t.Errorf("%s: in %q, want %q", name, got, tt.want)
		}
	}
}

func TestNewPanicsWhereCompressionIsAskedForThatThereIsNot(t *testing.T) {
	for _, o := range []socketio.Options{
		{PerMessageDeflate: &socketio.PerMessageDeflate{Level: 10}},
		{PerMessageDeflate: &socketio.PerMessageDeflate{WindowBits: 8}},
		{HTTPCompression: socketio.HTTPCompression{Level: 10}},
	} {
		func() {
			defer func() {
				if p, ok := recover().(string); !ok || !strings.Contains(p, "levels 1-9") {
					t.Errorf("%+v: %v", o, p)
				}
			}()
			socketio.New(quiet(o))
		}()
	}
}

func TestCompressFalseHoldsForWhatIsMissed(t *testing.T) {
	w := recovering(t, socketio.Recovery{})
	c, _ := w.visitor(t)
	w.loses(c)
	long := strings.Repeat("x", 2000)
	must(t, w.Compress(false).Emit("event", long))
	p := &pollGzip{t, "http://" + w.addr + "/socket.io/?EIO=4&transport=polling"}
	defer http.DefaultClient.CloseIdleConnections()
	open, _ := p.do("GET", "")
	_, sid, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ = strings.Cut(sid, `"`)
	p.url += "&sid=" + sid
	p.do("POST", `40{"pid":"`+c.pid+`"}`)
	if body, header := p.do("GET", ""); header.Get("Content-Encoding") != "" || !strings.Contains(body, long) {
		t.Errorf("in %q: %q", header.Get("Content-Encoding"), body)
	}
}
