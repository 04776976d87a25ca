package pprof_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/pprof"
)

// serve runs s on a free port until the returned function ends it.
func serve(t *testing.T, s *pprof.Server) (url string, end func()) {
	t.Helper()
	addr, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	return "http://" + addr.String(), func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	}
}

// fetch makes one request on a connection of its own.
func fetch(url string) (int, string, error) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := c.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	return r.StatusCode, string(body), err
}

func TestServeAnswersUntilItsContextEnds(t *testing.T) {
	s := start(t, pprof.Options{Addr: "127.0.0.1:0"})
	url, end := serve(t, s)
	for _, path := range []string{"/", "/metrics", "/healthz", "/readyz", "/debug/pprof/", "/debug/pprof/goroutine?debug=2"} {
		if code, _, err := fetch(url + path); err != nil || code != http.StatusOK {
			t.Errorf("%s: %d, %v", path, code, err)
		}
	}
	end()
	if _, _, err := fetch(url + "/"); err == nil {
		t.Error("answers after its end")
	}
	if _, err := s.Listen(); !errors.Is(err, pprof.ErrServed) {
		t.Errorf("listen after its end: %v", err)
	}
	if err := s.Serve(t.Context()); !errors.Is(err, pprof.ErrServed) {
		t.Errorf("serve after its end: %v", err)
	}
}

func TestItAnswersWhileChecksAreStuck(t *testing.T) {
	release, entered := make(chan struct{}), make(chan struct{})
	s := start(t, pprof.Options{Addr: "127.0.0.1:0", Ready: func() error {
		close(entered)
		<-release
		return nil
	}})
	url, end := serve(t, s)
	code := make(chan int)
	go func() {
		c, _, _ := fetch(url + "/readyz")
		code <- c
	}()
	<-entered
	c, body, err := fetch(url + "/debug/pprof/goroutine?debug=2")
	if c != http.StatusOK || err != nil || !strings.Contains(body, "TestItAnswersWhileChecksAreStuck") {
		t.Errorf("/debug/pprof/goroutine: %d, %v", c, err)
	}
	end() // does not wait for the check either
	if c := <-code; c != http.StatusServiceUnavailable {
		t.Errorf("/readyz: %d", c)
	}
	close(release)
}

func TestTheEndCutsProfilesShort(t *testing.T) {
	s := start(t, pprof.Options{Addr: "127.0.0.1:0"})
	url, end := serve(t, s)
	r, err := http.Get(url + "/debug/pprof/trace?seconds=60") // the header of a trace comes at once
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	end()
	if body, err := io.ReadAll(r.Body); err != nil || !strings.HasPrefix(string(body), "go 1.") {
		t.Errorf("%d bytes, %v", len(body), err)
	}
}

func TestListenFailsClearly(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for _, addr := range []string{taken.Addr().String(), "127.0.0.1", "127.0.0.1:99999"} {
		s := start(t, pprof.Options{Addr: addr})
		if _, err := s.Listen(); err == nil || !strings.HasPrefix(err.Error(), "pprof: admin address: ") {
			t.Errorf("listen on %s: %v", addr, err)
		}
		if err := s.Serve(t.Context()); err == nil || errors.Is(err, pprof.ErrServed) {
			t.Errorf("serve on %s: %v", addr, err)
		}
	}
}

func TestAnEndedContextGivesTheAddressBack(t *testing.T) {
	s := start(t, pprof.Options{Addr: "127.0.0.1:0"})
	addr, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Listen(); err != nil || again.String() != addr.String() {
		t.Errorf("listen again: %v, %v", again, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Serve(ctx); err != nil {
		t.Errorf("serve: %v", err)
	}
	l, err := net.Listen("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}

func TestAnOpenAddressIsWarnedOf(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1:0": false, "0.0.0.0:0": true, ":0": true} {
		var log strings.Builder
		s := start(t, pprof.Options{Addr: addr, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		_, end := serve(t, s)
		end()
		if got := strings.Contains(log.String(), "level=WARN"); got != want {
			t.Errorf("%s: logged %q", addr, log.String())
		}
	}
}
