package main_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestCtrlCStopsItAtOnceWhenNobodyIsThere(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			p := start(t, anywhere())
			get(t, p.url+"/").want(t, 200, "<title>")
			begin := time.Now()
			p.stop(s)
			// Nothing to wait for: a timeout that was waited out would be 3 s (close
			// frames) or 5 s (the admin address) at least.
			if took := time.Since(begin); took > 2500*time.Millisecond {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestClientsAreToldThatItStops(t *testing.T) {
	c := anywhere()
	c.env = []string{"GOMAXPROCS=1"} // one loop: a request that moves to another one counts there again
	p := start(t, c)
	socket, poller := dialWebSocket(t, p.url), dialPolling(t, p.url)
	requests := metrics(t, p)["fanfare_requests_total"]
	poll := make(chan answer, 1)
	go func() {
		a, _ := try("GET", poller.url, "")
		poll <- a
	}()
	p.counts(map[string]float64{"fanfare_requests_total": requests + 1}) // the poll is held

	p.signal(syscall.SIGTERM)
	requireCleanClose(t, socket)
	if a := <-poll; a.body != "1" {
		t.Errorf("the poll is answered %q, want a close packet", a.body)
	}
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// A client that does not answer the server's close frame holds the stop up.
func TestASecondSignalEndsItWithinASecondAndAThirdAtOnce(t *testing.T) {
	p := start(t, anywhere())
	dialWebSocket(t, p.url)
	p.signal(syscall.SIGINT)
	p.becomesUnready()
	p.signal(syscall.SIGTERM)
	begin := time.Now()
	if code := p.wait(); code != 128+int(syscall.SIGTERM) {
		t.Errorf("exit code %d, want 128 and the signal's number", code)
	}
	if took := time.Since(begin); took > 2500*time.Millisecond { // 3 s are what close frames are waited for
		t.Errorf("it took %v", took)
	}
	if log := p.log.String(); strings.Contains(log, "msg=stopped") || !strings.Contains(log, "second signal (terminated)") {
		t.Error("it does not say why it stopped")
	}

	p = start(t, anywhere("--drain-delay=1h"))
	p.signal(syscall.SIGTERM)
	p.becomesUnready()
	eventually(t, func() error {
		p.signal(syscall.SIGINT)
		select {
		case <-p.ended:
			return nil
		default:
			return errors.New("it is still there")
		}
	})
	if p.cmd.ProcessState.Success() {
		t.Error("it calls that a graceful stop")
	}
}

// What a client was sent before the second signal still arrives.
func TestASecondSignalClosesClientsInOrder(t *testing.T) {
	p := start(t, anywhere("--drain-delay=1h"))
	s := dialWebSocket(t, p.url)
	p.signal(syscall.SIGTERM)
	p.becomesUnready()
	s.emit("chatMessage", "one more")
	s.expect(`42["reply","one more"`)
	p.signal(syscall.SIGTERM)
	requireCleanClose(t, s)
	if code := p.wait(); code != 128+int(syscall.SIGTERM) {
		t.Errorf("exit code %d", code)
	}
}

// Whoever routes to the program is told to look elsewhere, while the rest of the
// admin address goes on answering.
func TestItIsNotReadyWhileItStops(t *testing.T) {
	p := start(t, anywhere("--drain-delay=0s"))
	slow := dialWebSocket(t, p.url) // does not answer the close frame, until we say so
	get(t, p.admin+"/readyz").want(t, 200, "ok")

	p.signal(syscall.SIGTERM)
	p.becomesUnready()
	get(t, p.admin+"/healthz").want(t, 200, "ok")
	get(t, p.admin+"/metrics").want(t, 200, "fanfare_connections")

	requireCleanClose(t, slow)
	if code := p.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// becomesUnready waits until the program says that it is stopping.
func (p *process) becomesUnready() {
	p.t.Helper()
	eventually(p.t, func() error {
		a, err := try("GET", p.admin+"/readyz", "")
		if err != nil {
			p.t.Fatalf("the admin address is gone before the server: %v", err)
		}
		if a.StatusCode != 503 || !strings.Contains(a.body, "stopping") {
			return fmt.Errorf("/readyz: %d %s", a.StatusCode, a.body)
		}
		return nil
	})
}

// A polling client that is between two polls when the signal comes is told by its
// next one. It may be posting, too.
func TestPollingClientsBetweenTwoPollsAreToldThatItStops(t *testing.T) {
	notShort(t)
	for range 3 {
		p := start(t, anywhere())
		slow := dialWebSocket(t, p.url) // holds the stop up until everything was asked
		var pollers []*wirePoller
		for range 8 { // on every loop
			pollers = append(pollers, dialPolling(t, p.url))
		}
		p.signal(syscall.SIGTERM)
		p.becomesUnready()
		p.counts(map[string]float64{`fanfare_disconnects_total{reason="server shutting down"}`: 9})
		for _, poller := range pollers {
			if a, err := try("POST", poller.url, eventPacket(t, "chatMessage", "too late")); err != nil || a.StatusCode != 200 {
				t.Fatalf("a post: %v %v, want 200", a.Response, err)
			}
			if a, err := try("GET", poller.url, ""); err != nil || !strings.HasSuffix(a.body, "1") {
				t.Fatalf("the poll is answered %q %v, want a close packet", a.body, err)
			}
		}
		requireCleanClose(t, slow)
		if code := p.wait(); code != 0 {
			t.Errorf("exit code %d", code)
		}
	}
}
