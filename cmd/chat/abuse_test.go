package main_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// One address does all that an address can do, and nobody else notices. By default it is a
// few seconds with strict limits, so that each is met; with FANFARE_TEST_ABUSE=SECONDS
// it is 20,000 requests a second against the program's defaults, and the time within which
// honest clients are answered counts.
func TestOneAbusiveAddressHurtsNobodyElse(t *testing.T) {
	notShort(t)
	seconds, rate, slowest := 3, 4000, 3*time.Second
	args := []string{
		"--connections-per-ip=100", "--connection-rate-per-ip=50:200", "--session-rate-per-ip=5:20", "--request-rate-per-ip=20:100",
		"--message-rate=50:300", "--message-rate-per-ip=50:400",
	}
	full := os.Getenv("FANFARE_TEST_ABUSE")
	if full != "" {
		seconds, _ = strconv.Atoi(full)
		rate, slowest, args = 20_000, 100*time.Millisecond, nil
	}
	p := start(t, anywhere(append(args, "--limit-exempt=none", "--history=off", "--ping-interval=5s", "--ping-timeout=5s")...))
	addr := "127.0.0.1:" + p.port()
	h := newHonest(t, addr, 20)
	h.wait(100)
	h.reset()
	before := resources(t, p)
	peak := before

	cmd := exec.Command(os.Args[0], "-test.run=^TestAttacker$", "-test.v")
	cmd.Env = append(os.Environ(), fmt.Sprintf("FANFARE_ATTACK=%s %d %d", addr, rate, seconds))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for running := true; running; {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("the attacker: %v\n%s", err, &out)
			}
			running = false
		case <-ticker.C:
			peak = peak.max(resources(t, p))
		}
	}
	acks, newcomers := h.times()
	r := readReport(t, out.String())
	met := metrics(t, p)
	sent := int64(0)
	for _, k := range r.Kinds {
		sent += k["sent"]
	}
	t.Logf("%d requests in %.1f s: %.0f/s, by kind %v", sent, r.Seconds, float64(sent)/r.Seconds, r.Kinds)
	t.Logf("honest clients: %d acknowledgements, p50 %v, p99 %v; %d newcomers, p99 %v", len(acks), at(acks, 50), at(acks, 99), len(newcomers), at(newcomers, 99))
	if len(acks) < 20*seconds || at(acks, 99) > slowest || at(newcomers, 99) > slowest {
		t.Errorf("honest clients had to wait")
	}
	for _, limit := range []string{"connection rate", "session rate", "request rate", "messages", "messages per IP", "pings"} {
		n := met[`fanfare_limits_met_total{limit="`+limit+`"}`]
		t.Logf("%s: met %.0f times", limit, n)
	}
	if met[`fanfare_limits_met_total{limit="connection rate"}`]+met[`fanfare_limits_met_total{limit="request rate"}`] == 0 {
		t.Error("no limit was met")
	}
	if met[`fanfare_rejected_total{reason="not HTTP"}`] == 0 {
		t.Error("no junk was rejected")
	}
	after := resources(t, p)
	eventually(t, func() error {
		if after = resources(t, p); after.descriptors > before.descriptors+20 || after.goroutines > before.goroutines+20 || after.sessions > before.sessions+5 {
			return fmt.Errorf("%+v, before %+v", after, before)
		}
		return nil
	})
	t.Logf("before %+v\npeak   %+v\nafter  %+v", before, peak, after)
	if peak.resident-before.resident > 128<<20 || peak.peers > 1000 {
		t.Errorf("it grew: %+v, before %+v", peak, before)
	}
	h.stop()
	p.stop(syscall.SIGTERM)
}

// usage is what the program has of things that are finite.
type usage struct {
	resident, descriptors, goroutines, sessions, peers float64
}

func resources(t *testing.T, p *process) usage {
	t.Helper()
	m := metrics(t, p)
	return usage{
		resident: m["process_resident_memory_bytes"], descriptors: m["process_open_fds"], goroutines: m["go_goroutines"],
		sessions: m[`fanfare_connections{transport="polling"}`] + m[`fanfare_connections{transport="websocket"}`], peers: m["fanfare_limit_peers"],
	}
}

func (u usage) max(v usage) usage {
	return usage{
		max(u.resident, v.resident), max(u.descriptors, v.descriptors), max(u.goroutines, v.goroutines), max(u.sessions, v.sessions), max(u.peers, v.peers),
	}
}

func readReport(t *testing.T, out string) (r report) {
	t.Helper()
	_, text, _ := strings.Cut(out, "REPORT ")
	text, _, _ = strings.Cut(text, "\n")
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return r
}

// at is a percentile.
func at(times []time.Duration, percent int) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[min(len(times)*percent/100, len(times)-1)]
}

func dialFrom(ctx context.Context, ip, addr string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	return d.DialContext(ctx, "tcp", addr)
}

func mustURL(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil {
		panic(err)
	}
	return u
}

// honest are clients, each from an address of its own, that say something five times a
// second and wait for the acknowledgement; and newcomers, ten a second.
type honest struct {
	t    *testing.T
	ctx  context.Context
	stop context.CancelFunc
	all  sync.WaitGroup

	mu              sync.Mutex
	acks, newcomers []time.Duration // guarded by mu
}

func newHonest(t *testing.T, addr string, n int) *honest {
	h := &honest{t: t}
	var cancel context.CancelFunc
	h.ctx, cancel = context.WithCancel(context.Background())
	h.stop = func() { cancel(); h.all.Wait() }
	t.Cleanup(h.stop)
	for i := range n {
		nc, err := dialFrom(h.ctx, fmt.Sprintf("127.0.1.%d", i+1), addr)
		if err != nil {
			t.Skipf("no second loopback address: %v", err)
		}
		br, _, err := ws.Dialer{}.Upgrade(nc, mustURL("ws://"+addr+webSocket))
		if err != nil {
			t.Fatal(err)
		}
		c := &honestClient{honest: h, nc: nc, sent: make(map[string]time.Time)}
		if br == nil {
			br = bufio.NewReader(nc)
		}
		h.all.Go(func() { c.read(br) })
		h.all.Go(c.speak)
	}
	h.all.Go(func() { h.come(addr) })
	return h
}

// come opens and leaves one session after the other, from one address after the other.
func (h *honest) come(addr string) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-h.ctx.Done():
			return
		case <-ticker.C:
		}
		began := time.Now()
		nc, err := dialFrom(h.ctx, fmt.Sprintf("127.0.2.%d", i%250+1), addr)
		if err != nil {
			continue
		}
		_ = nc.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(nc, "GET "+webSocket+" HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		line, err := bufio.NewReader(nc).ReadString('\n')
		_ = nc.Close()
		if h.ctx.Err() != nil {
			return
		}
		if err != nil || !strings.Contains(line, "101") {
			h.t.Errorf("a newcomer was answered %q, %v", line, err)
			continue
		}
		h.note(&h.newcomers, time.Since(began))
	}
}

func (h *honest) note(times *[]time.Duration, d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*times = append(*times, d)
}

func (h *honest) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acks, h.newcomers = nil, nil
}

func (h *honest) times() (acks, newcomers []time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.acks), slices.Clone(h.newcomers)
}

// wait returns when so many were acknowledged.
func (h *honest) wait(n int) {
	h.t.Helper()
	eventually(h.t, func() error {
		if acks, _ := h.times(); len(acks) < n {
			return errors.New("too few acknowledgements")
		}
		return nil
	})
}

type honestClient struct {
	*honest
	nc   net.Conn
	wmu  sync.Mutex // held while a frame is written
	smu  sync.Mutex
	sent map[string]time.Time // by id; guarded by smu
}

func (c *honestClient) write(text string) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	return wsutil.WriteClientText(c.nc, []byte(text))
}

func (c *honestClient) speak() {
	defer func() { _ = c.nc.Close() }()
	if c.write("40") != nil {
		return
	}
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for i := 1; ; i++ {
		select {
		case <-c.ctx.Done():
			return
		case <-ticker.C:
		}
		id := strconv.Itoa(i)
		c.smu.Lock()
		c.sent[id] = time.Now()
		c.smu.Unlock()
		if err := c.write("42" + id + `["chatMessage","hello"]`); err != nil && c.ctx.Err() == nil {
			c.t.Errorf("an honest client was cut off: %v", err)
			return
		}
	}
}

func (c *honestClient) read(br *bufio.Reader) {
	for {
		b, err := wsutil.ReadServerText(struct {
			io.Reader
			io.Writer
		}{br, c.nc})
		if err != nil {
			if c.ctx.Err() == nil {
				c.t.Errorf("an honest client was cut off: %v", err)
			}
			return
		}
		text := string(b)
		if text == "2" && c.write("3") != nil {
			return
		}
		if !strings.HasPrefix(text, "43") {
			continue
		}
		id, _, _ := strings.Cut(text[2:], "[")
		c.smu.Lock()
		began := c.sent[id]
		delete(c.sent, id)
		c.smu.Unlock()
		c.note(&c.acks, time.Since(began))
	}
}
