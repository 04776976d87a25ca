package api_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/api"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
)

type historyMessage = history.Message

const message = `{"name":"n","text":"once"}`

func TestARequestThatIsSentAgainDoesNothingAgain(t *testing.T) {
	t.Parallel()
	n := &notebook{state: "healthy"}
	s := perform(t, api.Options{Chat: n}, nil)
	first := s.same(s.ask("POST", "/v1/messages", message, "Idempotency-Key", "k1"), "")
	for range 3 {
		again := s.same(s.ask("POST", "/v1/messages", message, "Idempotency-Key", "k1"), "")
		if again.body != first.body || again.Header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("have %q, want %q", again.body, first.body)
		}
	}
	if first.Header.Get("Idempotency-Replayed") != "" || len(n.lines) != 1 {
		t.Errorf("%d messages", len(n.lines))
	}
	s.ask("POST", "/v1/messages", `{"name":"n","text":"other"}`, "Idempotency-Key", "k1").refused(t, 422, "idempotency_key_reused", "another request")
	s.ask("POST", "/v1/emit", message, "Idempotency-Key", "k1").refused(t, 422, "idempotency_key_reused", "another request")
	s.ask("POST", "/v1/emit", `{}`, "Idempotency-Key", "k2").refused(t, 400, "invalid_request", "event")
	s.ask("POST", "/v1/emit", `{}`, "Idempotency-Key", "k2").refused(t, 400, "invalid_request", "event")
	for _, key := range []string{"a b", "ü", fmt.Sprintf("%0256d", 1)} {
		s.ask("POST", "/v1/emit", message, "Idempotency-Key", key).refused(t, 400, "invalid_request", "Idempotency-Key")
	}
	if st := s.api.Stats(); st.Idempotent != 2 || st.Replayed != 4 {
		t.Errorf("%+v", st)
	}
}

func TestADuplicateThatComesMeanwhileWaits(t *testing.T) {
	t.Parallel()
	b := &blocking{entered: make(chan struct{}, 10), release: make(chan struct{})}
	s := perform(t, api.Options{Chat: b}, nil)
	answers := make(chan reply, 5)
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() { answers <- s.ask("POST", "/v1/messages", message, "Idempotency-Key", "k") })
	}
	<-b.entered
	eventually(t, func() error {
		if n := s.api.Stats().Active; n != 5 {
			return fmt.Errorf("%d at work", n)
		}
		return nil
	})
	close(b.release)
	all.Wait()
	replayed := 0
	for range 5 {
		if s.same(<-answers, "").Header.Get("Idempotency-Replayed") == "true" {
			replayed++
		}
	}
	if replayed != 4 || len(b.entered) != 0 {
		t.Errorf("%d replayed, %d more published", replayed, len(b.entered))
	}
}

// Whoever hangs up and asks again gets the answer of what was done.
func TestTheAnswerIsKeptForWhoHungUp(t *testing.T) {
	t.Parallel()
	b := &blocking{entered: make(chan struct{}, 10), release: make(chan struct{})}
	s := perform(t, api.Options{Chat: b}, nil)
	impatient := *s
	client := *s.client
	impatient.client = &client
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		impatient.hangUp(ctx, "/v1/messages", message, "k")
	}()
	<-b.entered
	cancel()
	<-gone
	close(b.release)
	if a := s.same(s.ask("POST", "/v1/messages", message, "Idempotency-Key", "k"), ""); a.Header.Get("Idempotency-Replayed") != "true" {
		t.Error("it was published again")
	}
}

func TestAnswersAreForgotten(t *testing.T) {
	t.Parallel()
	n := &notebook{state: "healthy"}
	s := perform(t, api.Options{Chat: n, MaxIdempotent: 3}, nil)
	send := func(s *stage, key string) { s.ask("POST", "/v1/messages", message, "Idempotency-Key", key) }
	for i := range 5 {
		send(s, fmt.Sprint(i))
	}
	send(s, "4")
	send(s, "0") // is forgotten
	if st := s.api.Stats(); st.Idempotent != 3 || st.Replayed != 1 || len(n.lines) != 6 {
		t.Errorf("%+v, %d messages", st, len(n.lines))
	}
	small := perform(t, api.Options{Chat: n, MaxIdempotentBytes: 1000}, nil)
	for i := range 5 {
		send(small, fmt.Sprint(i))
	}
	if st := small.api.Stats(); st.Idempotent != 2 {
		t.Errorf("%d answers in 1,000 bytes", st.Idempotent)
	}
	brief := perform(t, api.Options{Chat: n, IdempotencyTTL: time.Nanosecond}, nil)
	send(brief, "k")
	send(brief, "k")
	if st := brief.api.Stats(); st.Replayed != 0 {
		t.Errorf("%+v", st)
	}
}
