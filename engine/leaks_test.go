package engine_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// mute is a receiver for clients that misbehave: it joins groups and is sent much.
type mute struct{ s *engine.Session }

func (m mute) Text(b []byte) error {
	if string(b) == "flood" {
		f := text(strings.Repeat("x", 100_000))
		for range 8 {
			m.s.Send(f)
		}
		f.Release()
	}
	return nil
}
func (mute) Binary([]byte) error  { return nil }
func (mute) Closed(engine.Reason) {}

// vandal is a client that leaves in the middle of something. Errors are not its
// concern: the server may have had enough of it already.
type vandal struct {
	addr string
	rng  *rand.Rand
	open []net.Conn
}

func (v *vandal) dial() (net.Conn, *bufio.Reader) {
	nc, err := net.Dial("tcp", v.addr)
	if err != nil {
		nc, _ = net.Pipe()
		_ = nc.Close()
	}
	_ = nc.SetDeadline(time.Now().Add(patience))
	v.open = append(v.open, nc)
	return nc, bufio.NewReader(nc)
}

// leave closes everything, some of it with a RST.
func (v *vandal) leave() {
	for _, nc := range v.open {
		if tcp, ok := nc.(*net.TCPConn); ok && v.rng.IntN(2) == 0 {
			_ = tcp.SetLinger(0)
		}
		_ = nc.Close()
	}
	v.open = nil
}

func ask(nc net.Conn, br *bufio.Reader, method, target, header, body string) string {
	fmt.Fprintf(nc, "%s %s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s", method, target, header, len(body), body)
	resp, err := http.ReadResponse(br, &http.Request{Method: method})
	if err != nil {
		return ""
	}
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

// poll opens a session and returns the target of its requests.
func (v *vandal) poll() (nc net.Conn, br *bufio.Reader, query string) {
	nc, br = v.dial()
	var o opened
	if body := ask(nc, br, "GET", pollURL, "", ""); body != "" {
		_ = json.Unmarshal([]byte(body[1:]), &o)
	}
	return nc, br, "&sid=" + o.SID
}

func (v *vandal) webSocket(query string) (net.Conn, *bufio.Reader) {
	nc, br := v.dial()
	_, _ = io.WriteString(nc, "GET "+wsURL+query+" HTTP/1.1\r\nHost: x\r\n"+wsHeader+"\r\n\r\n")
	_, _ = http.ReadResponse(br, nil)
	return nc, br
}

const noKey = "\x00\x00\x00\x00"

// acts are the ways to leave.
var acts = map[string]func(v *vandal){
	"WebSocket": func(v *vandal) {
		nc, br := v.webSocket("")
		_, _ = readFrame(br)
		_, _ = io.WriteString(nc, "\x81\x83"+noKey+"4hi")
	},
	"WebSocket that takes nothing": func(v *vandal) {
		nc, br := v.webSocket("")
		_, _ = io.WriteString(nc, "\x81\x86"+noKey+"4flood")
		_, _ = readFrame(br) // the open packet
		_, _ = br.Peek(1)    // the flood has begun
	},
	"WebSocket in mid-message": func(v *vandal) {
		nc, _ := v.webSocket("")
		_, _ = io.WriteString(nc, "\x01\x82"+noKey+"4x\x00\xfe\x10\x00"+noKey+strings.Repeat("y", v.rng.IntN(4096)))
	},
	"poll": func(v *vandal) {
		nc, _, query := v.poll()
		fmt.Fprintf(nc, "GET %s%s HTTP/1.1\r\nHost: x\r\n\r\n", pollURL, query)
	},
	"two polls": func(v *vandal) {
		nc, _, query := v.poll()
		other, _ := v.dial()
		for _, c := range []net.Conn{nc, other} {
			fmt.Fprintf(c, "GET %s%s HTTP/1.1\r\nHost: x\r\n\r\n", pollURL, query)
		}
	},
	"mid-POST": func(v *vandal) {
		nc, _, query := v.poll()
		fmt.Fprintf(nc, "POST %s%s HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n4%s", pollURL, query, strings.Repeat("z", v.rng.IntN(4000)))
	},
	"poll with much to come": func(v *vandal) {
		nc, br, query := v.poll()
		ask(nc, br, "POST", pollURL+query, "", "4flood")
	},
	"between two polls": func(v *vandal) { v.poll() },
	"mid-upgrade": func(v *vandal) {
		_, _, query := v.poll()
		nc, br := v.webSocket(query)
		steps := []string{"\x81\x86" + noKey + "2probe", "\x81\x81" + noKey + "5", "\x81\x83" + noKey + "4hi"}
		for _, step := range steps[:v.rng.IntN(4)] {
			_, _ = io.WriteString(nc, step)
		}
		if v.rng.IntN(2) == 0 {
			_, _ = readFrame(br)
		}
	},
	"mid-handshake": func(v *vandal) {
		nc, _ := v.dial()
		request := "GET " + wsURL + " HTTP/1.1\r\nHost: x\r\n" + wsHeader + "\r\n\r\n"
		_, _ = io.WriteString(nc, request[:v.rng.IntN(len(request))])
	},
	"garbage frames": func(v *vandal) {
		nc, _ := v.webSocket("")
		b := make([]byte, v.rng.IntN(300))
		for i := range b {
			b[i] = byte(v.rng.Uint32())
		}
		_, _ = nc.Write(b)
	},
	"garbage": func(v *vandal) {
		nc, _ := v.dial()
		_, _ = io.WriteString(nc, "\x16\x03\x01 what?\r\n")
	},
	"bad packets": func(v *vandal) {
		nc, br, query := v.poll()
		ask(nc, br, "POST", pollURL+query, "", "9")
	},
}

func TestDisconnectsLeaveNothingBehind(t *testing.T) {
	var srv *engine.Server
	accept := func(s *engine.Session) engine.Receiver {
		s.Established()
		s.Join("all")
		s.Join("room " + s.ID())
		return mute{s}
	}
	f := start(t, engine.Options{
		Accept: accept, Loops: 2, PingInterval: 200 * time.Millisecond, PingTimeout: 200 * time.Millisecond, SendBuffer: 8 << 10,
	})
	srv = f.srv
	wreck(t, f, 50) // whatever comes into being once is there
	settled(t, srv)
	fds, goroutines := descriptors(t), routines()

	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		broadcast(srv, stop)
	}()
	wreck(t, f, 1000)
	close(stop)
	<-stopped
	settled(t, srv)
	st := srv.Stats()
	t.Logf("%d sessions, %d connections, ended: %v", st.Opened, st.Accepted, st.Closed)
	if st.Panics > 0 {
		t.Errorf("%d panics", st.Panics)
	}
	var open, running int
	until(t, "descriptors and goroutines are back", func() bool {
		open, running = descriptors(t), routines()
		return open <= fds && running <= goroutines
	})
	t.Logf("descriptors %d, before %d; goroutines %d, before %d", open, fds, running, goroutines)
}

// wreck has n clients leave in random ways, twenty at a time.
func wreck(t *testing.T, f *fixture, n int) {
	t.Helper()
	var names []string
	for name := range acts {
		names = append(names, name)
	}
	jobs := make(chan int)
	var all sync.WaitGroup
	for worker := range 20 {
		all.Go(func() {
			v := &vandal{addr: f.addr, rng: rand.New(rand.NewPCG(uint64(n), uint64(worker)))}
			for i := range jobs {
				acts[names[i%len(names)]](v)
				v.leave()
			}
		})
	}
	for i := range n {
		jobs <- i
	}
	close(jobs)
	all.Wait()
}

// broadcast keeps the server sending meanwhile.
func broadcast(srv *engine.Server, stop <-chan struct{}) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	everybody := &engine.Target{Groups: []string{"all"}}
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			f := text("news")
			srv.Publish(f, everybody)
			f.Release()
		}
	}
}

// settled waits until no session, connection or byte is left.
func settled(t *testing.T, srv *engine.Server) {
	t.Helper()
	var st engine.Stats
	var left engine.Leftovers
	defer func() {
		if t.Failed() {
			t.Logf("left: %+v %+v", st, left)
		}
	}()
	until(t, "nothing is left", func() bool {
		st, left = srv.Stats(), srv.Leftovers()
		return st.Connections == 0 && st.Polling == 0 && st.WebSocket == 0 && st.QueuedBytes == 0 && left == engine.Leftovers{}
	})
}

// descriptors counts what the process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0 // not Linux
	}
	return len(entries)
}

// routines counts goroutines, less the workers of gnet's global pool: those rest
// for 10 s before they go.
func routines() (n int) {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	for _, stack := range strings.Split(string(buf), "\n\n") {
		if !strings.Contains(stack, "ants/v2") {
			n++
		}
	}
	return n
}
