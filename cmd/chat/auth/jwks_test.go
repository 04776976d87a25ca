package auth_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// issuer is a server with a key set, or whatever it answers instead.
type issuer struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Pointer[http.HandlerFunc]
}

func newIssuer(t *testing.T, keys ...map[string]any) *issuer {
	t.Helper()
	i := new(issuer)
	i.has(keys...)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.asked.Add(1)
		(*i.answer.Load())(w, r)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) has(keys ...map[string]any) {
	text := jwks(keys...)
	i.does(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
}

func (i *issuer) does(fn http.HandlerFunc) { i.answer.Store(&fn) }

// signedBy is a token of this key, which need not be one of ours.
func signedBy(id string) string {
	key := signers()[id]
	if key == nil {
		key = signers()["rsa"]
	}
	return mint("RS256", key, ann(), "kid", id)
}

func TestAKeySetThatRotates(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, jwk("rsa"))
	server, g := guarded(t, auth.Options{JWKS: i.URL, JWKSGap: time.Millisecond}, socketio.Options{})
	requireIn(t, server.Connect(with(signedBy("rsa"))), "ann")
	if n := i.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	i.has(jwk("rsa2"), jwk("rsa"))
	requireIn(t, server.Connect(with(signedBy("rsa2"))), "ann")
	requireIn(t, server.Connect(with(signedBy("rsa"))), "ann")
	i.has(jwk("rsa2"))
	before := i.asked.Load()
	eventually(t, "a fetch for a key that is unknown", func() bool {
		server.Connect(with(signedBy("unknown")))
		return i.asked.Load() > before
	})
	requireRefused(t, server.Connect(with(signedBy("rsa"))), "invalid token", "token_invalid")
	requireIn(t, server.Connect(with(signedBy("rsa2"))), "ann")
	if st := g.Stats(); st.Keys != 1 || st.Fetched != uint64(i.asked.Load()) || time.Since(st.FetchedAt) > time.Minute {
		t.Errorf("%+v, asked %d times", st, i.asked.Load())
	}
}

// A token with a key that nobody knows has the set fetched once, however many come.
func TestUnknownKeysHaveTheSetFetchedOncePerGap(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, jwk("rsa"))
	server, _ := guarded(t, auth.Options{JWKS: i.URL, JWKSGap: time.Hour}, socketio.Options{})
	for range 50 {
		requireRefused(t, server.Connect(with(mint("RS256", signers()["rsa2"], ann(), "kid", "rsa2"))), "invalid token", "token_invalid")
	}
	if n := i.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
	i2 := newIssuer(t, jwk("rsa"))
	hold := make(chan struct{})
	server, _ = guarded(t, auth.Options{JWKS: i2.URL, JWKSGap: time.Nanosecond}, socketio.Options{})
	i2.does(func(w http.ResponseWriter, _ *http.Request) {
		<-hold
		_, _ = w.Write([]byte(jwks(jwk("rsa"), jwk("rsa2"))))
	})
	var clients sync.WaitGroup
	for range 20 { // all of them wait for the one fetch that is under way
		clients.Go(func() { requireIn(t, server.Connect(with(signedBy("rsa2"))), "ann") })
	}
	eventually(t, "the fetch", func() bool { return i2.asked.Load() == 2 && server.Stats().Busy == 20 })
	close(hold)
	clients.Wait()
	if n := i2.asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// While the issuer is away, the keys that came before go on; and a server that begins
// while it is away lets nobody in, says why, and gets the keys when it is back.
func TestAnIssuerThatIsAway(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]http.HandlerFunc{
		"an error":   func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "down", http.StatusBadGateway) },
		"garbage":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		"no keys":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"keys":[]}`)) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"too much": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(jwks(jwk("rsa")) + strings.Repeat(" ", 1<<20)))
		},
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10000")
			_, _ = w.Write([]byte(`{"keys":[`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t, jwk("rsa"))
			had, g := guarded(t, auth.Options{JWKS: i.URL, JWKSRefresh: 5 * time.Millisecond}, socketio.Options{})
			i.does(fault)
			had0 := g.Stats().FetchFailed
			eventually(t, "failures", func() bool { return g.Stats().FetchFailed > had0+2 })
			requireIn(t, had.Connect(with(signedBy("rsa"))), "ann")
			if err := g.Reload(auth.Options{JWKS: i.URL}); err == nil {
				t.Error("Reload took it")
			}
			requireIn(t, had.Connect(with(signedBy("rsa"))), "ann")

			has, g := guarded(t, auth.Options{JWKS: i.URL, JWKSRefresh: 5 * time.Millisecond}, socketio.Options{})
			requireRefused(t, has.Connect(with(signedBy("rsa"))), "authentication is not available", "unavailable")
			i.has(jwk("rsa"))
			eventually(t, "the keys", func() bool { return g.Stats().Fetched > 0 })
			requireIn(t, has.Connect(with(signedBy("rsa"))), "ann")
		})
	}
}

// Who waits for the key set gives up with its client, and is one of a bounded number.
func TestWaitingForTheKeySetIsBounded(t *testing.T) {
	t.Parallel()
	i := newIssuer(t, jwk("rsa"))
	hold := make(chan struct{})
	server, g := guarded(t, auth.Options{JWKS: i.URL, JWKSGap: time.Nanosecond}, socketio.Options{})
	i.does(func(http.ResponseWriter, *http.Request) { <-hold })
	token := mint("RS256", signers()["rsa2"], ann(), "kid", "rsa2")
	var clients sync.WaitGroup
	var refused atomic.Int64
	for range 100 {
		clients.Go(func() {
			_ = server.Connect(with(token)).Refused()
			refused.Add(1)
		})
	}
	most := 0
	eventually(t, "36 are refused at once", func() bool {
		most = max(most, g.Awaiting())
		return refused.Load() >= 36
	})
	if most != 64 {
		t.Errorf("up to %d wait, want 64", most)
	}
	requireIn(t, server.Connect(with(signedBy("rsa"))), "ann") // whose key is known does not wait
	close(hold)
	clients.Wait()
}

func TestSecretsAreNotTakenFromAKeySet(t *testing.T) {
	t.Parallel()
	oct := map[string]any{"kty": "oct", "kid": "oct", "alg": "HS256", "k": "YSBzZWNyZXQgdGhhdCBpcyBpbiBhIHB1YmxpYyBrZXkgc2V0"}
	server, g := guarded(t, auth.Options{JWKS: newIssuer(t, oct, jwk("rsa"), map[string]any{"kty": "unknown"}).URL}, socketio.Options{})
	token := mint("HS256", []byte("a secret that is in a public key set"), ann(), "kid", "oct")
	requireRefused(t, server.Connect(with(token)), "invalid token", "token_invalid")
	requireIn(t, server.Connect(with(signedBy("rsa"))), "ann")
	if n := g.Stats().Keys; n != 1 {
		t.Errorf("%d keys", n)
	}
}
