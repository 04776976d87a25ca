package clienttest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster/forward"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter"
	"github.com/fanfare-go/fanfare/engine/socketio/redisadapter/redistest"
)

// memberEnv has this test binary be a server of a fleet: its value is Redis' URL.
const memberEnv = "CLIENTTEST_MEMBER_OF"

// member is what such a process does: it serves like a house, together with the others of
// that Redis. It ends with its standard input, or in good order on SIGTERM.
func member(url string) error {
	quiet := slog.New(slog.DiscardHandler)
	fleet, err := redisadapter.New(redisadapter.Options{URL: url, Mode: redisadapter.Sharded, Cluster: cluster.Options{Logger: quiet}})
	if err != nil {
		return err
	}
	f, err := forward.New(fleet.Carrier(), forward.Options{Logger: quiet})
	if err != nil {
		return err
	}
	var server *socketio.Server
	options := socketio.Options{
		AllowEIO3: true, Adapter: fleet.Adapter, Logger: quiet, ShutdownTimeout: 20 * time.Second,
		OnError: func(_ context.Context, _ *socketio.Socket, err error) {
			fmt.Fprintln(os.Stderr, "a server reports:", err)
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/forwarded":
				_, _ = fmt.Fprint(w, server.Stats().Engine.Forwarded)
			case "/others":
				_, _ = fmt.Fprint(w, f.Stats().Peers)
			case "/sockets":
				_, _ = fmt.Fprint(w, server.Stats().Sockets["/"])
			}
		}),
	}
	f.Equip(&options)
	server = socketio.New(options)
	furnish(server.Of("/"))
	if err := fleet.Wait(context.Background()); err != nil {
		return err
	}
	if err := server.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	if err := f.Attach(server); err != nil {
		return err
	}
	fmt.Println(server.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the test is over
		os.Exit(0)
	}()
	if err := server.Serve(ctx); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return fleet.Close()
}

// fleet is several servers behind a balancer that sends each request to the next one.
type fleet struct {
	t       *testing.T
	url     string // the balancer's
	servers []*process
}

// process is one server.
type process struct {
	cmd  *exec.Cmd
	addr string
	in   io.Closer
}

func openFleet(t *testing.T, n int) *fleet {
	t.Helper()
	haproxy, err := exec.LookPath("haproxy")
	if err != nil {
		clienttest.Unavailable(t, "haproxy is not installed: apt-get install haproxy")
	}
	db := redistest.Start(t, redistest.Options{})
	f := &fleet{t: t}
	for range n {
		f.add(db.URL)
	}
	f.balance(haproxy)
	for i := range n {
		f.eventually("the servers know each other", func() bool { return f.ask(i, "/others") == n-1 })
	}
	return f
}

func (f *fleet) add(url string) {
	f.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), memberEnv+"="+url), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		f.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	p := &process{cmd: cmd, in: in}
	f.t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // of one that was killed it says so
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		f.t.Fatal(err)
	}
	p.addr = strings.TrimSpace(line)
	f.servers = append(f.servers, p)
}

// balance has HAProxy send requests round-robin, without stickiness. It notices at once
// where a server is gone.
func (f *fleet) balance(haproxy string) {
	f.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	addr := ln.Addr().String()
	_ = ln.Close()
	config := "global\n  maxconn 4000\ndefaults\n  mode http\n  option redispatch\n  retry-on conn-failure\n" +
		"  timeout connect 2s\n  timeout client 60s\n  timeout server 60s\n  timeout tunnel 60s\n" +
		"listen chat\n  bind " + addr + "\n  balance roundrobin\n  option httpchk GET /others\n"
	for i, p := range f.servers {
		config += fmt.Sprintf("  server s%d %s check inter 100ms fall 1 rise 1\n", i, p.addr)
	}
	file := filepath.Join(f.t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		f.t.Fatal(err)
	}
	cmd := exec.Command(haproxy, "-db", "-f", file)
	if err := cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	f.url = "http://" + addr
	f.eventually("HAProxy serves", func() bool {
		r, err := http.Get(f.url + "/others")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

// ask returns a number of one server; -1 where that does not say.
func (f *fleet) ask(i int, path string) int {
	f.t.Helper()
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get("http://" + f.servers[i].addr + path)
	if err != nil {
		return -1
	}
	defer func() { _ = r.Body.Close() }()
	b, _ := io.ReadAll(r.Body)
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return -1
	}
	return n
}

// forwarded is how many requests have reached the wrong server.
func (f *fleet) forwarded() (sum int) {
	for i := range f.servers {
		sum += max(f.ask(i, "/forwarded"), 0)
	}
	return sum
}

func (f *fleet) eventually(what string, is func() bool) {
	f.t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			f.t.Fatalf("never came true: %s", what)
		}
	}
}
