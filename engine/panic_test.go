package engine_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	gobwas "github.com/gobwas/ws"
)

// bomb is a Receiver that panics where it is told to.
type bomb struct {
	*recorder
	where string
}

func (b *bomb) Text(data []byte) error {
	if b.where == "Text" {
		panic("bomb in Text")
	}
	return b.recorder.Text(data)
}

func (b *bomb) Binary(data []byte) error {
	if b.where == "Binary" {
		panic("bomb in Binary")
	}
	return b.recorder.Binary(data)
}

func (b *bomb) Closed(reason engine.Reason) {
	b.recorder.Closed(reason)
	if b.where == "Closed" {
		panic("bomb in Closed")
	}
}

// startBombs runs a server on which every session whose request says bomb=<where>
// is a bomb.
func startBombs(t testing.TB) *fixture {
	t.Helper()
	var f *fixture
	o := engine.Options{Loops: 1, Accept: func(s *engine.Session) engine.Receiver {
		at := s.Request().Query().Get("bomb")
		r := f.accept(s).(*recorder)
		if at == "Accept" {
			panic("bomb in Accept")
		}
		return &bomb{r, at}
	}}
	return start(t, o, func(fresh *fixture) { f = fresh })
}

// panics waits until the server has counted n panics.
func (f *fixture) panics(n uint64) {
	f.t.Helper()
	until(f.t, fmt.Sprint(n, " panics are counted"), func() bool { return f.srv.Stats().Panics == n })
}

func TestAPanicCostsOneSession(t *testing.T) {
	f := startBombs(t)
	bystander, o := f.openWS()
	br := f.session(o.SID)
	poller := f.poller()
	n := uint64(0)
	for _, tt := range []struct {
		where  string
		set    func(c *wsConn, r *recorder)
		close  engine.Reason
		panics uint64
	}{
		{"Text", func(c *wsConn, _ *recorder) { c.sendText("4x") }, engine.ReasonForcedClose, 1},
		{"Binary", func(c *wsConn, _ *recorder) { c.frame(true, 2, "x") }, engine.ReasonForcedClose, 1},
		{"Run", func(_ *wsConn, r *recorder) { r.s.Run(func() { panic("bomb in Run") }) }, engine.ReasonForcedClose, 1},
		{"Closed", func(c *wsConn, _ *recorder) { _ = c.Close() }, engine.ReasonTransportClose, 1},
		{"Closed", func(_ *wsConn, r *recorder) { r.s.Close() }, engine.ReasonForcedClose, 1},
		{"Closed", func(_ *wsConn, r *recorder) { r.s.Run(func() { panic("and in Run") }) }, engine.ReasonForcedClose, 2},
		{"Closed", func(c *wsConn, _ *recorder) { c.sendText("?") }, engine.ReasonParseError, 1},
	} {
		t.Run("websocket, "+tt.where, func(t *testing.T) {
			c := f.use(t).upgradeWS(wsURL + "&bomb=" + tt.where)
			r := f.session(parseOpen(t, c.text()).SID)
			tt.set(c, r)
			r.ended(t, tt.close)
			n += tt.panics
			f.panics(n)
			f.echoes(bystander, br)
			poller.alive()
		})
	}
	for _, tt := range []struct {
		where, body string
		close       engine.Reason
	}{
		{"Text", "4x", engine.ReasonForcedClose},
		{"Text", "4x" + sep + "4y", engine.ReasonForcedClose},
		{"Binary", "bAAAA", engine.ReasonForcedClose},
		{"Closed", "1", engine.ReasonTransportClose},
		{"Closed", "?", engine.ReasonParseError},
	} {
		for _, held := range []bool{false, true} {
			t.Run(fmt.Sprintf("polling, %s, %q, a poll held: %v", tt.where, tt.body, held), func(t *testing.T) {
				c := f.use(t).dial()
				url := pollURL + "&sid=" + parseOpen(t, c.do("GET", pollURL+"&bomb="+tt.where, "").body).SID
				sid := url[strings.LastIndex(url, "=")+1:]
				r := f.session(sid)
				get := f.dial()
				if held {
					get.request("GET", url, "")
					until(t, "the GET is held", func() bool { return r.s.PollState().Get })
				}
				c.request("POST", url, tt.body)
				r.ended(t, tt.close)
				n++
				f.panics(n)
				if held {
					if b := get.read("GET").body; b != "1" && b != "6" {
						t.Errorf("the held poll got %q", b)
					}
				}
				f.echoes(bystander, br)
				poller.alive()
			})
		}
	}
	for _, target := range []string{wsURL, pollURL} {
		t.Run("Accept "+target, func(t *testing.T) {
			f.use(t)
			before := f.srv.Stats()
			c := f.dial()
			if strings.Contains(target, "websocket") {
				c.request("GET", target+"&bomb=Accept", "", wsHeader)
			} else {
				c.request("GET", target+"&bomb=Accept", "")
			}
			n++
			f.panics(n)
			until(t, "the session is gone", func() bool {
				now := f.srv.Stats()
				return now.WebSocket == before.WebSocket && now.Polling == before.Polling
			})
			f.echoes(bystander, br)
			poller.alive()
		})
	}
}

// Closed may panic in places where no client is being served: in a timer's turn,
// in a broadcast, in a pipelined request, at shutdown.
func TestAPanicInClosedIsHarmlessEverywhere(t *testing.T) {
	setUp := func(t *testing.T, o engine.Options) (k *fakes, open func() (*fakeConn, *recorder)) {
		o.Accept = func(s *engine.Session) engine.Receiver { return &bomb{k.accept(s).(*recorder), "Closed"} }
		k = startFake(t, 1, o)
		return k, func() (*fakeConn, *recorder) { return k.openWS(0) }
	}
	for name, kill := range map[string]func(k *fakes, c *fakeConn, r *recorder){
		"ping timeout":   func(k *fakes, _ *fakeConn, _ *recorder) { k.advance(2 * time.Second) },
		"peer gone":      func(k *fakes, c *fakeConn, _ *recorder) { _ = c.loop.Close(c) },
		"failed publish": func(k *fakes, c *fakeConn, _ *recorder) { c.vanish() },
		"over the mark": func(k *fakes, c *fakeConn, r *recorder) {
			c.narrow(k.t)
			for range 3 {
				r.send(strings.Repeat("x", 900_000))
			}
			k.run()
		},
		"blocked too long": func(k *fakes, c *fakeConn, r *recorder) {
			c.narrow(k.t)
			r.send(strings.Repeat("x", 900_000))
			k.run()
			k.advance(500 * time.Millisecond)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k, open := setUp(t, engine.Options{
				PingInterval: 600 * time.Millisecond, PingTimeout: 300 * time.Millisecond, MaxBlocked: 200 * time.Millisecond,
			})
			victim, vr := open()
			other, or := open()
			for _, r := range []*recorder{vr, or} {
				r.s.Join("all")
			}
			k.run()
			kill(k, victim, vr)
			f := text("x")
			k.srv.Publish(f, &engine.Target{Groups: []string{"all"}})
			f.Release()
			k.run()
			receive(t, vr.closed)
			if name != "ping timeout" {
				if got := strings.Join(other.texts(), " "); !strings.HasSuffix(got, "4x") {
					t.Errorf("the other member got %q", got)
				}
				return
			}
			receive(t, or.closed) // it answered no ping either
		})
	}
}

// A panic in a request that was served behind another, from the loop's clean-up.
func TestAPanicBehindAHeldPollCostsOneSession(t *testing.T) {
	f := startBombs(t)
	bystander, o := f.openWS()
	br := f.session(o.SID)
	holder := f.poller()
	c := f.dial()
	victim := parseOpen(t, c.do("GET", pollURL+"&bomb=Text", "").body).SID
	holder.get.request("GET", holder.url, "")
	holder.get.request("POST", pollURL+"&sid="+victim, "4x")
	until(t, "held", func() bool { return holder.r.s.PollState().Get })
	holder.r.send("let go")
	if got := holder.get.read("GET").body; got != "4let go" {
		t.Errorf("the held poll got %q", got)
	}
	f.session(victim).ended(t, engine.ReasonForcedClose)
	f.panics(1)
	f.echoes(bystander, br)
}

func TestAPanicInClosedDoesNotHoldUpShutdown(t *testing.T) {
	f := startBombs(t)
	var rs []*recorder
	var clients sync.WaitGroup
	for i := range 10 {
		c := f.upgradeWS(wsURL + "&bomb=" + map[bool]string{true: "Closed"}[i%2 == 0])
		rs = append(rs, f.session(parseOpen(t, c.text()).SID))
		clients.Go(func() { c.closes(gobwas.StatusNoStatusRcvd) })
	}
	if err := f.shutdown(patience); err != nil {
		t.Error(err)
	}
	for _, r := range rs {
		r.ended(t, engine.ReasonServerShutdown)
	}
	clients.Wait()
}

func TestAPanicInHandlerCostsOneRequest(t *testing.T) {
	f := start(t, engine.Options{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte("page"))
	})})
	c := f.dial()
	c.request("GET", "/panic", "")
	c.eof()
	if got := f.dial().do("GET", "/", "").body; got != "page" {
		t.Errorf("got %q", got)
	}
}

// A panic in OwnPath is a panic on the loop like any other.
func TestAPanicInOwnPathCostsOneConnection(t *testing.T) {
	f := start(t, engine.Options{OwnPath: func(path string) bool {
		if strings.Contains(path, "panic") {
			panic("bomb in OwnPath")
		}
		return false
	}})
	c := f.dial()
	c.request("GET", "/socket.io/panic", "")
	c.eof()
	f.panics(1)
	_, _ = f.openPolling()
}
