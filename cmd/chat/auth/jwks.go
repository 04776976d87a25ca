package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

const (
	fetchTimeout = 5 * time.Second // of one request for the key set
	fetchRetry   = time.Second     // after the first failure; twice as long after each further one
	maxAwaiting  = 64              // clients that wait for the key set: each takes a worker
)

// keySet is the key set of a URL. One goroutine fetches it: at the beginning, every so
// often, and when a token names a key that is not in it, but not more often than every
// gap. Where that fails, the keys that came before stay.
type keySet struct {
	url      string        // immutable, as below
	host     string        // of url, for the log: the rest may be a secret
	every    time.Duration // between fetches
	gap      time.Duration // between those that tokens cause
	client   *http.Client
	log      *slog.Logger
	counters *counters
	stop     context.CancelFunc
	ended    chan struct{} // closed when the goroutine has ended
	wanted   chan struct{} // a token has an unknown key

	keys      atomic.Pointer[keyring] // nil until the first came
	fetchedAt atomic.Int64            // ns since 1970; 0 until the first came

	mu       sync.Mutex
	asked    time.Time     // when the last fetch began; guarded by mu
	pending  bool          // one was asked for, or is under way; guarded by mu
	flight   chan struct{} // closed when the next fetch has ended; guarded by mu
	awaiting int           // who waits for it; guarded by mu
}

// newKeySet fetches the set once, and then in the background until close. The error says
// that there are no keys yet; the set is usable all the same.
func newKeySet(o *Options, c *counters) (*keySet, error) {
	ctx, stop := context.WithCancel(context.Background())
	s := &keySet{
		url: o.JWKS, host: hostOf(o.JWKS), every: o.JWKSRefresh, gap: o.JWKSGap, log: o.Logger, counters: c, client: newClient(fetchTimeout),
		stop: stop, ended: make(chan struct{}), wanted: make(chan struct{}, 1), flight: make(chan struct{}),
	}
	err := s.fetch(ctx)
	go s.run(ctx, err != nil)
	return s, err
}

// newClient returns a client that follows no redirects: nobody but the operator says
// where secrets and questions go.
func newClient(timeout time.Duration) *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 64
	return &http.Client{
		Timeout: timeout, Transport: t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// withoutURL takes the URL out of an error of net/http: there may be a secret in it.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func hostOf(where string) string {
	u, err := url.Parse(where)
	if err != nil {
		return ""
	}
	return u.Host
}

// close ends the goroutine.
func (s *keySet) close() {
	s.stop()
	<-s.ended
	s.client.CloseIdleConnections()
}

func (s *keySet) run(ctx context.Context, failed bool) {
	defer close(s.ended)
	retry := fetchRetry
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wait := s.every - rand.N(s.every/10+1) // servers that began together do not ask together
		if failed {
			wait = min(retry, s.every)
			retry *= 2
		} else {
			retry = fetchRetry
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wanted:
		}
		failed = s.fetch(ctx) != nil
	}
}

// fetch gets the set, and lets those go on who wait for it.
func (s *keySet) fetch(ctx context.Context) error {
	s.begin()
	keys, err := s.get(ctx)
	switch {
	case err == nil:
		s.keys.Store(&keys)
		s.fetchedAt.Store(time.Now().UnixNano())
		s.counters.fetched.Add(1)
	case ctx.Err() == nil:
		s.counters.unfetched.Add(1)
		s.log.Error("the key set was not fetched; what keys there are stay in use", "host", s.host, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = false
	close(s.flight)
	s.flight = make(chan struct{})
	return err
}

// begin makes this fetch the one that was asked for.
func (s *keySet) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.pending = time.Now(), true
	select {
	case <-s.wanted:
	default:
	}
}

func (s *keySet) get(ctx context.Context) (keyring, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, withoutURL(err)
	}
	r.Header.Set("Accept", "application/json")
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer func() { _ = answer.Body.Close() }() // was only read
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer is %s", answer.Status)
	}
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxKeyBytes+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxKeyBytes {
		return nil, errors.New("the answer is too long")
	}
	return readJWKS(b)
}

// ring returns the keys; nil where none came yet.
func (s *keySet) ring() keyring {
	if k := s.keys.Load(); k != nil {
		return *k
	}
	return nil
}

// renew has the set fetched for a key that is not in it, and waits for that. False where
// it is too early, too many wait, or it did not come.
func (s *keySet) renew(ctx context.Context) bool {
	flight, ok := s.board()
	if !ok {
		return false
	}
	timer := time.NewTimer(fetchTimeout)
	defer timer.Stop()
	came := false
	select {
	case <-flight:
		came = true
	case <-ctx.Done():
	case <-timer.C:
	case <-s.ended:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awaiting--
	return came
}

// board asks for a fetch unless there is one already, and returns what tells of its end.
func (s *keySet) board() (flight <-chan struct{}, ok bool) {
	gap := s.gap
	if s.ring() == nil {
		gap = min(gap, fetchRetry)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.awaiting == maxAwaiting || !s.pending && time.Since(s.asked) < gap {
		return nil, false
	}
	if !s.pending {
		s.pending = true
		s.wanted <- struct{}{} // there is room: begin takes it out, and pending says that
	}
	s.awaiting++
	return s.flight, true
}
