package engine_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
)

// The descriptor limit is the process's own, so these tests run themselves again in
// a child with a small one.

const childEnv = "FANFARE_TEST_CHILD"

// inChild reports whether this is the child, and runs the child where it is not.
// For each line the child prints that begins with "flood ", the parent floods the
// address behind it, and answers with a line when it has.
func inChild(t *testing.T, limit int) bool {
	t.Helper()
	if os.Getenv(childEnv) == t.Name() {
		return true
	}
	cmd := exec.Command("/bin/sh", "-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, limit),
		os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), childEnv+"="+t.Name())
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if addr, ok := strings.CutPrefix(lines.Text(), "flood "); ok {
			conns := flood(t, addr, floodSize)
			defer closeAll(conns)
			_, _ = io.WriteString(in, "flooded\n")
			continue
		}
		said.WriteString(lines.Text() + "\n")
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the child with %d descriptors: %v\n%s", limit, err, said.String())
	}
	return false
}

// floodSize is how many connections a flood opens and keeps.
const floodSize = 1000

func flood(t *testing.T, addr string, n int) (conns []net.Conn) {
	for range n {
		nc, err := net.DialTimeout("tcp", addr, patience)
		if err != nil {
			t.Errorf("flooding %s: %v", addr, err)
			break
		}
		conns = append(conns, nc)
	}
	return conns
}

func closeAll(conns []net.Conn) {
	for _, nc := range conns {
		_ = nc.Close()
	}
}

func TestAFloodOfConnectionsIsSurvived(t *testing.T) {
	if !inChild(t, 200) {
		return
	}
	parent := bufio.NewReader(os.Stdin)
	for _, eaten := range []int{0, 100} {
		f := start(t, engine.Options{Loops: 2, HeaderTimeout: 500 * time.Millisecond})
		files := eat(t, eaten) // the application's own
		var clients []*wsConn
		var rs []*recorder
		for range 10 {
			c, o := f.openWS()
			clients, rs = append(clients, c), append(rs, f.session(o.SID))
		}
		flooded := make(chan struct{})
		go func() {
			defer close(flooded)
			fmt.Println("flood", f.addr)
			_, _ = parent.ReadString('\n')
		}()
		for flooding := true; flooding; { // sessions answer all the while
			select {
			case <-flooded:
				flooding = false
			default:
			}
			for i, c := range clients {
				f.echoes(c, rs[i])
			}
		}
		until(t, "all have come", func() bool {
			st := f.srv.Stats()
			return st.Refused+st.Accepted == floodSize+uint64(len(clients))
		})
		if st := f.srv.Stats(); st.Refused < floodSize/2 {
			t.Errorf("%d files open: %d refused of %d", eaten, st.Refused, floodSize)
		}
		until(t, "the silent ones are gone", func() bool { return f.srv.Stats().Connections == int64(len(clients)) })
		c, o := f.openWS()
		f.echoes(c, f.session(o.SID))
		for _, c := range append(clients, c) {
			_ = c.Close()
		}
		for _, file := range files {
			_ = file.Close()
		}
	}
}

// eat opens n files, or as many as there may be.
func eat(t *testing.T, n int) (files []*os.File) {
	t.Helper()
	for range n {
		file, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func TestMaxConnectionsIsKept(t *testing.T) {
	if everythingOverTLS {
		t.Skip("who is refused at the door gets no handshake, and so no answer")
	}
	f := start(t, engine.Options{MaxConnections: 5, Loops: 1})
	var conns []*wsConn
	for range 5 {
		c, _ := f.openWS()
		conns = append(conns, c)
	}
	for range 10 {
		c := f.dial()
		if r := c.read("GET"); r.StatusCode != 503 || r.Header.Get("Retry-After") == "" || !r.Close {
			t.Errorf("got %s %v", r.Status, r.Header)
		}
		c.eof()
	}
	if n := f.srv.Stats().Refused; n != 10 {
		t.Errorf("%d refused", n)
	}
	_ = conns[0].Close()
	until(t, "there is room", func() bool { return f.srv.Stats().Connections == 4 })
	f.openWS()
}

func TestTooFewDescriptorsAreAnErrorThatSaysWhatToDo(t *testing.T) {
	if !inChild(t, 64) {
		return
	}
	srv := quiet(t, engine.Options{})
	err := srv.Listen("127.0.0.1:0")
	if !errors.Is(err, engine.ErrDescriptorLimit) {
		t.Fatalf("Listen: %v", err)
	}
	if want := "engine: the limit of open descriptors is too low: raise it, for example with ulimit -n 65536 (it is 64, at least 128 are needed)"; err.Error() != want {
		t.Errorf("says %q", err)
	}
}

// A connection that cannot be moved for want of descriptors costs that connection.
func TestNoDescriptorsToMoveAConnection(t *testing.T) {
	if !inChild(t, 160) {
		return
	}
	f := start(t, engine.Options{Loops: 2, Handler: page("page")})
	c, o := f.openWS()
	r := f.session(o.SID)
	movers := make([]*rawConn, 16)
	for i := range movers {
		movers[i] = f.dial()
	}
	polls := make([]string, 8) // sessions of both loops
	for i := range polls {
		_, p := f.openPolling()
		polls[i] = pollURL + "&sid=" + p.SID
	}
	until(t, "all are open", func() bool { return f.srv.Stats().Connections == 25 })
	files := eat(t, 1000)
	_ = files[0].Close() // one for the first dup, none for the rest
	for i, m := range movers {
		if i < 8 {
			m.request("GET", "/page", "")
		} else {
			m.request("POST", polls[i-8], "4x")
		}
		if resp := m.read("GET"); resp.StatusCode != 503 && resp.StatusCode != 200 {
			t.Errorf("mover %d: %s", i, resp.Status)
		}
	}
	for _, file := range files[1:] {
		_ = file.Close()
	}
	f.echoes(c, r)
	if got := f.dial().do("GET", "/page", "").body; got != "page" {
		t.Errorf("afterwards: %q", got)
	}
	ended := make(chan error, 1)
	go func() { ended <- f.shutdown(patience / 2) }()
	c.closes(1005)
	if err := receive(t, ended); err != nil {
		t.Errorf("Shutdown afterwards: %v", err)
	}
}
