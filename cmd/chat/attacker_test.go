package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// attackerIP is the address that everything bad comes from.
const attackerIP = "127.0.0.66"

// attacker sends requests of all kinds from one address, as many a second as it may and
// can. It is a process of its own, so that honest clients are not measured by how busy it is.
type attacker struct {
	addr  string
	rate  int // requests per second, of all kinds together
	until time.Time
	began time.Time
	kinds map[string]*tally
}

// tally is what became of the requests of a kind; all kinds have the same share of the rate.
type tally struct {
	budget atomic.Int64 // requests that were due

	Sent, Dialed, Refused, TooMany, Closed atomic.Int64
}

// report is what the process prints.
type report struct {
	Seconds float64
	Kinds   map[string]map[string]int64
}

// TestAttacker is not a test, but the attacker's process.
func TestAttacker(t *testing.T) {
	order := os.Getenv("FANFARE_ATTACK") // address, requests per second, seconds
	if order == "" {
		t.Skip("runs in a process of its own")
	}
	fields := strings.Fields(order)
	rate, _ := strconv.Atoi(fields[1])
	seconds, _ := strconv.Atoi(fields[2])
	a := &attacker{addr: fields[0], rate: rate, began: time.Now(), kinds: make(map[string]*tally)}
	a.until = a.began.Add(time.Duration(seconds) * time.Second)
	a.run()
	r := report{Seconds: time.Since(a.began).Seconds(), Kinds: make(map[string]map[string]int64)}
	for name, k := range a.kinds {
		r.Kinds[name] = map[string]int64{
			"sent": k.Sent.Load(), "dialed": k.Dialed.Load(), "refused": k.Refused.Load(), "429": k.TooMany.Load(), "closed": k.Closed.Load(),
		}
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("REPORT %s\n", b)
}

// pipelined is how many requests are sent in one write, framesAtOnce how many frames.
const (
	pipelined    = 5
	framesAtOnce = 250
)

func (a *attacker) run() {
	get := func(target string) string { return "GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n" }
	post := "POST " + polling + "&sid=AAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n4a"
	attacks := map[string]func(k *tally){
		"junk":       func(k *tally) { a.http(k, "\x00\xffgarbage\r\n\r\n", 1) },
		"handshakes": func(k *tally) { a.http(k, strings.Repeat(get(polling), pipelined), pipelined) },
		"polls": func(k *tally) {
			a.http(k, strings.Repeat(get(polling+"&sid=AAAAAAAAAAAAAAAAAAAA"), pipelined), pipelined)
		},
		"posts":  func(k *tally) { a.http(k, strings.Repeat(post, pipelined), pipelined) },
		"pages":  func(k *tally) { a.http(k, strings.Repeat(get("/"), pipelined), pipelined) },
		"events": func(k *tally) { a.frames(k, `42["chatMessage","spam"]`, ws.OpText) },
		"pings":  func(k *tally) { a.frames(k, "ping", ws.OpPing) },
		"pongs":  func(k *tally) { a.frames(k, "3", ws.OpText) },
	}
	for name := range attacks {
		a.kinds[name] = new(tally)
	}
	var all sync.WaitGroup
	for name, attack := range attacks {
		for range 8 {
			all.Go(func() {
				for a.goesOn() {
					attack(a.kinds[name])
				}
			})
		}
	}
	all.Wait()
}

func (a *attacker) goesOn() bool { return time.Now().Before(a.until) }

// take waits until n requests more may be sent.
func (a *attacker) take(k *tally, n int) bool {
	at := a.began.Add(time.Duration(k.budget.Add(int64(n)) * int64(len(a.kinds)) * int64(time.Second) / int64(a.rate)))
	if at.After(a.until) {
		return false
	}
	time.Sleep(time.Until(at)) // it is the attacker's pace, and waits for nothing
	k.Sent.Add(int64(n))
	return true
}

func (a *attacker) dial(k *tally) net.Conn {
	ctx, cancel := context.WithDeadline(context.Background(), a.until.Add(time.Second))
	defer cancel()
	nc, err := dialFrom(ctx, attackerIP, a.addr)
	if err != nil {
		return nil
	}
	k.Dialed.Add(1)
	_ = nc.(*net.TCPConn).SetLinger(0) // what it closes is reset: no port rests
	_ = nc.SetDeadline(time.Now().Add(2 * time.Second))
	return nc
}

// http sends a text on a connection of its own, and reads what comes.
func (a *attacker) http(k *tally, text string, n int) {
	if !a.take(k, n) {
		return
	}
	nc := a.dial(k)
	if nc == nil {
		return
	}
	defer func() { _ = nc.Close() }()
	_, _ = io.WriteString(nc, text)
	_ = nc.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	b, err := io.ReadAll(io.LimitReader(nc, 64<<10))
	k.Refused.Add(int64(strings.Count(string(b), "HTTP/1.1 503 ")))
	k.TooMany.Add(int64(strings.Count(string(b), "HTTP/1.1 429 ")))
	if err == nil {
		k.Closed.Add(1)
	}
}

// frames connects and sends the same frame until it is cut off.
func (a *attacker) frames(k *tally, payload string, op ws.OpCode) {
	if !a.take(k, 1) {
		return
	}
	nc := a.dial(k)
	if nc == nil {
		return
	}
	defer func() { _ = nc.Close() }()
	br, _, err := ws.Dialer{}.Upgrade(nc, mustURL("ws://"+a.addr+webSocket))
	if err != nil {
		k.Refused.Add(1)
		return
	}
	if br != nil {
		ws.PutReader(br)
	}
	go func() { _, _ = io.Copy(io.Discard, nc) }()
	batch := strings.Repeat(string(ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(op, true, []byte(payload))))), framesAtOnce)
	if _, err := nc.Write(ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte("40"))))); err != nil {
		return
	}
	for a.take(k, framesAtOnce) {
		_ = nc.SetDeadline(time.Now().Add(2 * time.Second))
		if _, err := io.WriteString(nc, batch); err != nil {
			k.Closed.Add(1)
			return
		}
	}
}
