package socketio_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// wanderer is one of a crowd: it loses its connection again and again, and counts what
// it is sent. Every event names a sequence and its number in it.
type wanderer struct {
	*revenant
	addr    string
	heard   map[string]int // the last number of each sequence
	returns int
}

// errLost is a connection that broke, or was broken.
var errLost = errors.New("lost")

// visit connects and listens for a while, and then breaks the connection off, in one
// of several ways. It returns true when the last event has come.
func (c *wanderer) visit(stay time.Duration) (over bool, err error) {
	known := c.pid != ""
	if err := c.dial(); err != nil {
		return false, nil // a busy machine: it tries again
	}
	until := time.Now().Add(stay)
	recovered, over, err := c.present(until)
	switch {
	case err == errLost:
		return false, nil
	case err != nil:
		return false, err
	case known && !recovered:
		return false, fmt.Errorf("not recovered with offset %q", c.offset)
	}
	if known {
		c.returns++
	}
	for !over {
		packet, err := c.within(until)
		if err != nil {
			return false, nil
		}
		if over, err = c.hear(packet); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (c *wanderer) dial() error {
	p := &peer{TB: c.TB}
	conn, err := net.DialTimeout("tcp", c.addr, patience)
	if err != nil {
		return err
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n" +
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")); err != nil {
		return err
	}
	l := &line{TB: c.TB, Conn: conn}
	p.conn, p.rw = conn, conn
	if err := l.skipHead(); err != nil {
		return err
	}
	c.peer = p
	_, err = p.message()
	return err
}

// skipHead reads a response's head, byte by byte, since frames follow it.
func (l *line) skipHead() error {
	var tail [4]byte
	for string(tail[:]) != "\r\n\r\n" {
		copy(tail[:], tail[1:])
		if _, err := l.Read(tail[3:]); err != nil {
			return err
		}
	}
	return nil
}

// present enters the namespace. What comes in front of the answer counts only if that
// comes, too.
func (c *wanderer) present(until time.Time) (recovered, over bool, err error) {
	auth := ""
	if c.pid != "" {
		auth = fmt.Sprintf(`{"pid":%q}`, c.pid)
	}
	if c.offset != "" {
		auth = fmt.Sprintf(`{"pid":%q,"offset":%q}`, c.pid, c.offset)
	}
	if err := c.trySend("40" + auth); err != nil {
		return false, false, errLost
	}
	var before []string
	for {
		packet, err := c.within(until)
		if err != nil {
			return false, false, errLost
		}
		rest, ok := strings.CutPrefix(packet, "40")
		if !ok {
			before = append(before, packet)
			continue
		}
		m := pidReply.FindStringSubmatch(rest)
		if m == nil {
			return false, false, fmt.Errorf("answer to CONNECT: %q", packet)
		}
		recovered = m[2] == c.pid
		c.sid, c.pid = m[1], m[2]
		for _, packet := range before {
			if over, err = c.hear(packet); err != nil {
				return false, false, err
			}
		}
		return recovered, over, nil
	}
}

// within is the next message before that time.
func (c *wanderer) within(until time.Time) (string, error) {
	for {
		_ = c.conn.SetReadDeadline(until)
		s, err := c.rawMessage()
		if err != nil || s != "2" {
			return s, err
		}
		_ = c.trySend("3")
	}
}

// hear checks an event: 42["n","sequence",number,"offset"].
func (c *wanderer) hear(packet string) (over bool, err error) {
	m := stamped.FindStringSubmatch(packet)
	if m == nil {
		return false, fmt.Errorf("no offset in %q", packet)
	}
	c.offset = m[2]
	fields := strings.Split(strings.TrimPrefix(m[1], `42["n",`), ",")
	if len(fields) != 2 {
		return false, fmt.Errorf("event %q", packet)
	}
	name, number := strings.Trim(fields[0], `"`), 0
	if number, err = strconv.Atoi(fields[1]); err != nil {
		return false, err
	}
	last, known := c.heard[name]
	if known && number != last+1 || !known && number != 0 {
		return false, fmt.Errorf("%s %d came after %d", name, number, last)
	}
	c.heard[name] = number
	return name == "end", nil
}

// wander visits until the last event has come, or something is wrong.
func (c *wanderer) wander(settled *atomic.Bool) error {
	for tries := 3; tries > 0; {
		stay := time.Duration(rand.Int64N(int64(time.Second)))
		if settled.Load() {
			stay = patience
			tries--
		}
		over, err := c.visit(stay)
		switch {
		case err != nil:
			return err
		case over:
			return c.conn.Close()
		}
		c.breakOff()
	}
	return fmt.Errorf("the last event did not come; heard %v", c.heard)
}

// breakOff loses the connection: with a FIN, with a RST, or so that the server does
// not learn of it.
func (c *wanderer) breakOff() {
	switch conn := c.conn; rand.IntN(3) {
	case 0:
		_ = conn.Close()
	case 1:
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	default:
		c.Cleanup(func() { _ = conn.Close() })
	}
	away := time.Duration(rand.Int64N(int64(300 * time.Millisecond)))
	time.Sleep(away) // it is away, and nobody waits for that
}

// A thousand clients are cut off at random while 100 events a second go to all, to
// rooms, and to single ones: every one that returns is recovered, and has each event
// that was for it once, in order.
func TestRecoveryOfAThousandClientsCutAtRandom(t *testing.T) {
	clients, groups, seconds := 1000/slow, 20, 5
	if testing.Short() {
		clients, seconds = 200, 2
	}
	w := socketio.New(quiet(socketio.Options{ConnectionStateRecovery: &socketio.Recovery{}}))
	var mu sync.Mutex
	groupOf := make(map[string]string)
	var sids []string
	w.OnConnect(func(_ ctxt, s *socketio.Socket) error {
		if s.Recovered() {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		g := fmt.Sprintf("group%d", len(sids)%groups)
		sids = append(sids, s.ID())
		groupOf[s.ID()] = g
		return s.Join(g)
	})
	addr := start(t, w)

	var all []*wanderer
	for range clients {
		c := &wanderer{revenant: &revenant{peer: &peer{TB: t}}, addr: addr, heard: make(map[string]int)}
		if err := c.dial(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.present(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	eventually(t, "everybody is in", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(sids) == clients
	})
	var settled atomic.Bool
	faults := make(chan error, clients)
	for _, c := range all {
		go func() {
			c.breakOff()
			faults <- c.wander(&settled)
		}()
	}
	sent := make(map[string]int)
	emit := func(to socketio.BroadcastOperator, sequence string) {
		n := sent[sequence]
		sent[sequence]++
		must(t, to.Emit("n", sequence, n))
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i := range 100 * seconds {
		<-tick.C
		switch sid := sids[rand.IntN(clients)]; i % 10 {
		case 0:
			emit(w.To(), "all")
		case 1:
			emit(w.To(sid), sid)
		case 2:
			must(t, w.Volatile().To("group0").Except("group0").Emit("n", "nobody's", 0))
		default:
			g := fmt.Sprintf("group%d", rand.IntN(groups))
			emit(w.To(g), g)
		}
	}
	settled.Store(true)
	emit(w.To(), "end")
	for range clients {
		select {
		case err := <-faults:
			if err != nil {
				t.Fatal(err)
			}
		case <-time.After(6 * patience):
			t.Fatal("somebody did not come to an end")
		}
	}
	returns := 0
	for _, c := range all {
		returns += c.returns
		for name, n := range map[string]int{"all": sent["all"], groupOf[c.sid]: sent[groupOf[c.sid]], c.sid: sent[c.sid]} {
			if last, ok := c.heard[name]; n > 0 && (!ok || last != n-1) {
				t.Errorf("%s: heard %d of %d", name, last+1, n)
			}
		}
		if len(c.heard) > 4 {
			t.Errorf("heard too much: %v", c.heard)
		}
	}
	st := w.Stats().Recovery
	if st.Refused+st.Expired+st.Crowded+st.Evicted > 0 || returns < clients {
		t.Errorf("%d returns, %+v", returns, st)
	}
	t.Logf("%d returns, of which %d took an old connection over; %d events were replayed", returns, st.TakenOver, st.Replayed)
}
