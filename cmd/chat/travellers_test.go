package main_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// travellers are clients that go where the balancer sends them, and connect again when
// they are told goodbye. Any other end of a connection, and any answer but the expected
// one, is a fault.
type travellers struct {
	t    *testing.T
	url  string
	all  []*traveller
	over context.Context // done when they are to go home
	end  context.CancelFunc
	home sync.WaitGroup

	mu       sync.Mutex
	faults   []string    // guarded by mu, like all below; the first few
	messages []message   // by number
	acked    int         // of them
	closed   []time.Time // goodbyes
	stored   []string    // ids of the messages that are said to be
	unstored int         // messages that are said not to be
}

// message is what a traveller said.
type message struct {
	sent, acked time.Time // acked is zero where nobody knows what became of it
	stay        int       // of its sender, when it was sent
}

// traveller is one client.
type traveller struct {
	*travellers
	number int
	kind   string

	mu    sync.Mutex
	say   func(packet string) error // guarded by mu; nil while it is not connected
	stays []*stay                   // guarded by mu
}

// stay is a connection.
type stay struct {
	since time.Time
	heard map[int]bool // messages, by number
}

// fromElsewhere connects from the travellers' own address.
var fromElsewhere = net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(fromTravellers)}}

// gatherTravellers connects that many over each transport.
func gatherTravellers(t *testing.T, url string, sockets, pollers int) *travellers {
	over, end := context.WithCancel(context.Background())
	all := &travellers{t: t, url: url, over: over, end: end}
	t.Cleanup(all.goHome)
	for i := range sockets + pollers {
		w := &traveller{travellers: all, number: i, kind: "websocket"}
		if i >= sockets {
			w.kind = "polling"
		}
		all.all = append(all.all, w)
		all.home.Go(w.travel)
		if i%50 == 49 {
			all.settle(1) // no more handshakes at once than a balancer has patience for
		}
	}
	all.settle(1)
	return all
}

// settle waits until everybody who set out is connected, for that many times at least.
func (a *travellers) settle(times int) {
	a.t.Helper()
	eventually(a.t, func() error {
		away := 0
		for _, w := range a.all {
			w.mu.Lock()
			if w.say == nil || len(w.stays) < times {
				away++
			}
			w.mu.Unlock()
		}
		if away > 0 {
			return fmt.Errorf("%d of %d are not connected; %v", away, len(a.all), a.troubles())
		}
		return nil
	})
}

// waitAcked waits for that many acknowledgements from now on.
func (a *travellers) waitAcked(more int) {
	a.t.Helper()
	acked := func() int {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.acked
	}
	want := acked() + more
	eventually(a.t, func() error {
		if n := acked(); n < want {
			return fmt.Errorf("%d messages are acknowledged, want %d", n, want)
		}
		return nil
	})
}

// goHome ends all connections; what was noted is nobody else's then.
func (a *travellers) goHome() {
	a.end()
	a.home.Wait()
}

func (a *travellers) troubles() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.faults
}

// fault notes what must not happen.
func (a *travellers) fault(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over.Err() == nil && len(a.faults) < 10 {
		a.faults = append(a.faults, fmt.Sprintf(format, args...))
	}
}

// travel connects again and again.
func (w *traveller) travel() {
	for w.over.Err() == nil {
		visit := w.visitSocket
		if w.kind == "polling" {
			visit = w.visitPolling
		}
		if err := visit(); err != nil {
			w.fault("%s %d: %v", w.kind, w.number, err)
		}
		w.arrive(nil)
		if w.over.Err() == nil {
			w.travellers.mu.Lock()
			w.closed = append(w.closed, time.Now())
			w.travellers.mu.Unlock()
		}
	}
}

// arrive has a way to say something from now on, or none any more.
func (w *traveller) arrive(say func(string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.say = say; say != nil {
		w.stays = append(w.stays, &stay{time.Now(), map[int]bool{}})
	}
}

// visitSocket is one connection over WebSocket: nil where the server said goodbye.
func (w *traveller) visitSocket() error {
	ctx, cancel := context.WithTimeout(w.over, patience)
	defer cancel()
	dialer := ws.Dialer{NetDial: fromElsewhere.DialContext}
	conn, early, _, err := dialer.Dial(ctx, "ws"+strings.TrimPrefix(w.url, "http")+webSocket)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(w.over, func() { _ = conn.Close() })()
	var r io.Reader = conn
	if early != nil {
		r = early
	}
	var writing sync.Mutex
	say := func(packet string) error {
		writing.Lock()
		defer writing.Unlock()
		return wsutil.WriteClientText(conn, []byte(packet))
	}
	for {
		f, err := ws.ReadFrame(r)
		if err != nil {
			return fmt.Errorf("an end without goodbye: %w", err)
		}
		if f.Header.OpCode == ws.OpClose {
			writing.Lock()
			defer writing.Unlock()
			// Who is slow to answer finds nobody there any more.
			_ = ws.WriteFrame(conn, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusNormalClosure, ""))))
			return nil
		}
		if err := w.take(string(f.Payload), say); err != nil {
			return err
		}
	}
}

var errGoodbye = errors.New("goodbye")

// visitPolling is one session over polling, with a cookie as browsers keep it.
func (w *traveller) visitPolling() error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	client := &http.Client{Jar: jar, Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 2, DialContext: fromElsewhere.DialContext}}
	defer client.CloseIdleConnections()
	session := w.url + polling
	request := func(method, body string) (string, error) {
		q, err := http.NewRequestWithContext(w.over, method, session, strings.NewReader(body))
		if err != nil {
			return "", err
		}
		a, err := client.Do(q)
		if err != nil {
			return "", err
		}
		defer func() { _ = a.Body.Close() }()
		b, err := io.ReadAll(a.Body)
		if err == nil && a.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s is answered %s %.100q", method, a.Status, b)
		}
		return string(b), err
	}
	say := func(packet string) error {
		_, err := request(http.MethodPost, packet)
		return err
	}
	for {
		body, err := request(http.MethodGet, "")
		if err != nil {
			return err
		}
		for packet := range strings.SplitSeq(body, "\x1e") {
			if packet[:1] == "0" {
				var o struct{ SID string }
				if err := json.Unmarshal([]byte(packet[1:]), &o); err != nil {
					return err
				}
				session += "&sid=" + o.SID
			}
			if err := w.take(packet, say); errors.Is(err, errGoodbye) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
}

// take is what a client of Socket.IO does with a packet.
func (w *traveller) take(packet string, say func(string) error) error {
	switch {
	case packet[:1] == "0":
		return say("40")
	case packet == "1":
		return errGoodbye
	case packet == "2":
		return say("3")
	case strings.HasPrefix(packet, "40"):
		w.arrive(say)
	case strings.HasPrefix(packet, `42["reply","`):
		text, _, _ := strings.Cut(packet[len(`42["reply","`):], `"`)
		w.hear(text)
	case strings.HasPrefix(packet, "43"):
		id, answer, _ := strings.Cut(packet[2:], "[")
		w.confirm(id, answer)
	case packet == "6", strings.HasPrefix(packet, "42"):
	default:
		return fmt.Errorf("packet %.100q", packet)
	}
	return nil
}

// hear notes a message, which must not come twice.
func (w *traveller) hear(text string) {
	number, err := strconv.Atoi(strings.TrimPrefix(text, "number "))
	if err != nil {
		w.fault("received %q", text)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.stays[len(w.stays)-1]
	if now.heard[number] {
		w.fault("%s %d received message %d twice", w.kind, w.number, number)
	}
	now.heard[number] = true
}

// confirm notes an acknowledgement. Its sender has the message itself by then.
func (w *traveller) confirm(id, answer string) {
	number, err := strconv.Atoi(id)
	if err != nil || strings.Contains(answer, `"error"`) {
		w.fault("acknowledged with %s[%s", id, answer)
		return
	}
	w.mu.Lock()
	own := w.stays[len(w.stays)-1].heard[number]
	w.mu.Unlock()
	if !own {
		w.fault("message %d was acknowledged, and its sender has not received it", number)
	}
	var receipt []struct {
		ID     string
		Stored bool
	}
	if err := json.Unmarshal([]byte("["+answer), &receipt); err != nil {
		w.fault("acknowledged with [%s: %v", answer, err)
	}
	w.travellers.mu.Lock()
	defer w.travellers.mu.Unlock()
	w.messages[number].acked = time.Now()
	w.acked++
	for _, r := range receipt {
		if r.Stored {
			w.stored = append(w.stored, r.ID)
		} else if r.ID != "" {
			w.unstored++
		}
	}
}

// chat has one traveller after the other say something until ctx is done: so many
// messages per second, each to be acknowledged.
func (a *travellers) chat(ctx context.Context, rate int) {
	t := time.NewTicker(time.Second / time.Duration(rate))
	defer t.Stop()
	for turn := 0; ; turn++ {
		w := a.all[turn*7919%len(a.all)] // a prime: neighbours are not neighbours in time
		w.mu.Lock()
		say, stay := w.say, len(w.stays)-1
		w.mu.Unlock()
		if say != nil {
			a.mu.Lock()
			number := len(a.messages)
			a.messages = append(a.messages, message{sent: time.Now(), stay: stay})
			a.mu.Unlock()
			a.home.Go(func() { // where it fails the connection has ended, which its reader reports
				_ = say(fmt.Sprintf(`42%d["chatMessage","number %d"]`, number, number))
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// missed counts the messages that were acknowledged and did not arrive. Who receives a
// message must have received every one that had been acknowledged before that was sent,
// on the same instance, and that was sent after it connected there. A stay is a stay on
// an instance: all went from one to the next.
func (a *travellers) missed() (missed, compared int) {
	for _, w := range a.all {
		for i, s := range w.stays {
			var last time.Time
			for number := range s.heard {
				if at := a.messages[number].sent; at.After(last) {
					last = at
				}
			}
			for number, m := range a.messages {
				if m.stay == i && m.sent.After(s.since) && !m.acked.IsZero() && m.acked.Before(last) {
					compared++
					if !s.heard[number] {
						missed++
					}
				}
			}
		}
	}
	return missed, compared
}

// slowest is the longest wait for an acknowledgement.
func (a *travellers) slowest() (d time.Duration) {
	for _, m := range a.messages {
		if !m.acked.IsZero() {
			d = max(d, m.acked.Sub(m.sent))
		}
	}
	return d
}

// knock has strangers come until ctx is done, who are to be let in at once.
func (a *travellers) knock(ctx context.Context) (came int) {
	t := time.NewTicker(50 * time.Millisecond)
	defer t.Stop()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: fromElsewhere.DialContext}}
	for ; ; came++ {
		if answer, err := client.Get(a.url + polling); err != nil {
			a.fault("a newcomer: %v", err)
		} else {
			if answer.StatusCode != 200 {
				a.fault("a newcomer is answered %s", answer.Status)
			}
			_ = answer.Body.Close()
		}
		select {
		case <-ctx.Done():
			return came
		case <-t.C:
		}
	}
}

// busiest is the most goodbyes within a second.
func busiest(goodbyes []time.Time) int {
	most, from := 0, 0
	for to := range goodbyes {
		for goodbyes[to].Sub(goodbyes[from]) >= time.Second {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}
