package auth

import (
	"sync/atomic"
	"time"
)

// result is how a client's attempt ended.
type result uint8

const (
	resultAllowed     result = iota // in, with an identity
	resultGuest                     // in, without
	resultRequired                  // no token
	resultInvalid                   // a token that is none, is not ours, or is not for us
	resultExpired                   // a token whose time is over
	resultRefused                   // by the backend
	resultUnavailable               // nobody could say
	resultRefreshed                 // a new token in time
	resultHaste                     // refreshes that came too fast
	results
)

var resultNames = [results]string{"allowed", "guest", "required", "invalid", "expired", "refused", "unavailable", "refreshed", "too_soon"}

// verdict is how a question to the backend ended.
type verdict uint8

const (
	verdictAllowed verdict = iota
	verdictRefused
	verdictFailed  // it did not answer, or not as it should
	verdictTimeout // it took too long
	verdictBusy    // no place and no room to wait for one
	verdictOpen    // not asked: it has failed too often
	verdictGone    // the client went away
	verdicts
)

var verdictNames = [verdicts]string{"allowed", "refused", "failed", "timeout", "busy", "open", "gone"}

// counters outlive a Reload. All atomic.
type counters struct {
	results   [results]atomic.Uint64
	verdicts  [verdicts]atomic.Uint64
	fetched   atomic.Uint64 // key sets that came
	unfetched atomic.Uint64 // that did not
	busy      atomic.Int64  // questions to the backend
	waiting   atomic.Int64  // clients that wait for a place
}

// Stats are the numbers of a Guard.
type Stats struct {
	Results        map[string]uint64 // clients and refreshes by what became of them; every result has an entry
	Webhook        map[string]uint64 // questions to the backend, likewise
	WebhookBusy    int64             // questions at the moment
	WebhookWaiting int64             // clients that wait to ask
	Keys           int               // to verify tokens with
	Fetched        uint64            // key sets fetched
	FetchFailed    uint64            // key sets not fetched
	FetchedAt      time.Time         // when the last came; zero where there is no URL, or none came yet
}

// Stats returns the numbers of this moment. It is safe for concurrent use.
func (g *Guard) Stats() Stats {
	c := &g.counters
	st := Stats{
		Results: make(map[string]uint64, results), Webhook: make(map[string]uint64, verdicts),
		WebhookBusy: c.busy.Load(), WebhookWaiting: c.waiting.Load(),
		Fetched: c.fetched.Load(), FetchFailed: c.unfetched.Load(),
	}
	for i, name := range resultNames {
		st.Results[name] = c.results[i].Load()
	}
	for i, name := range verdictNames {
		st.Webhook[name] = c.verdicts[i].Load()
	}
	if r := g.rules.Load(); r != nil && r.tokens != nil {
		st.Keys, st.FetchedAt = r.tokens.inventory()
	}
	return st
}
