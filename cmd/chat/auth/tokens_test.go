package auth_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/golang-jwt/jwt/v5"
)

type ctxt = context.Context

// algorithms and the key that signs with each.
var algorithms = map[string]string{
	"RS256": "rsa", "RS384": "rsa", "RS512": "rsa", "PS256": "rsa", "PS384": "rsa", "PS512": "rsa",
	"ES256": "p256", "ES384": "p384", "ES512": "p521", "EdDSA": "ed",
}

func TestEveryAlgorithmLetsIn(t *testing.T) {
	t.Parallel()
	all := []string{"rsa", "p256", "p384", "p521", "ed"}
	var keys []map[string]any
	for _, id := range all {
		keys = append(keys, jwk(id))
	}
	for where, o := range map[string]auth.Options{
		"PEM": {PublicKeyFile: publicPEM(t, all...)}, "JWKS": {JWKS: file(t, "jwks.json", jwks(keys...))},
	} {
		server, g := guarded(t, o, socketio.Options{})
		for method, id := range algorithms {
			requireIn(t, server.Connect(with(mint(method, signers()[id], ann()))), "ann")
			requireIn(t, server.Connect(with(mint(method, signers()[id], ann(), "kid", id))), "ann")
		}
		if st := g.Stats(); st.Keys != len(all) || st.Results["allowed"] != uint64(2*len(algorithms)) {
			t.Errorf("%s: %+v", where, st)
		}
	}
	server, _ := guarded(t, auth.Options{SecretFile: file(t, "secrets", "\n"+secret+"\nanother secret, which has signed tokens before\n")}, socketio.Options{})
	for _, method := range []string{"HS256", "HS384", "HS512"} {
		requireIn(t, server.Connect(with(mint(method, []byte(secret), ann()))), "ann")
		requireIn(t, server.Connect(with(mint(method, []byte("another secret, which has signed tokens before"), ann()))), "ann")
	}
}

// raw is a token of these parts, whatever they are.
func raw(head, claims, signature string) string {
	b64 := base64.RawURLEncoding
	return b64.EncodeToString([]byte(head)) + "." + b64.EncodeToString([]byte(claims)) + "." + signature
}

func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	const claims = `{"sub":"ann","exp":4102444800}`
	public := must(x509.MarshalPKIXPublicKey(signers()["rsa"].Public()))
	publicText := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	signed := good()
	parts := strings.Split(signed, ".")
	for name, token := range map[string]string{
		"none":                           must(jwt.NewWithClaims(jwt.SigningMethodNone, ann()).SignedString(jwt.UnsafeAllowNoneSignatureType)),
		"None":                           raw(`{"alg":"None"}`, claims, ""),
		"none, with a signature":         raw(`{"alg":"none"}`, claims, parts[2]),
		"no algorithm":                   raw(`{}`, claims, parts[2]),
		"algorithm null":                 raw(`{"alg":null}`, claims, parts[2]),
		"algorithm unknown":              raw(`{"alg":"HS1"}`, claims, parts[2]),
		"algorithm a list":               raw(`{"alg":["HS256"]}`, claims, parts[2]),
		"no signature":                   parts[0] + "." + parts[1] + ".",
		"another's signature":            raw(`{"alg":"HS256"}`, claims, parts[2]),
		"another's secret":               mint("HS256", []byte("another secret of the same length or so, it is long"), ann()),
		"the empty secret":               mint("HS256", []byte{}, ann()),
		"the public key as a secret":     mint("HS256", publicText, ann()),
		"the public key's DER":           mint("HS256", public, ann()),
		"the public key, with its name":  mint("HS256", publicText, ann(), "kid", "rsa"),
		"an RSA key that is not ours":    mint("RS256", signers()["rsa2"], ann()),
		"an algorithm we have no key of": mint("ES256", signers()["p256"], ann()),
		"its own key":                    mint("RS256", signers()["rsa2"], ann(), "jwk", jwk("rsa2")),
		"its own key's address":          mint("RS256", signers()["rsa2"], ann(), "jku", "http://127.0.0.1:1/", "x5u", "http://127.0.0.1:1/"),
		"a path as the key's name":       mint("HS256", []byte{}, ann(), "kid", "../../../../dev/null"),
		"SQL as the key's name":          mint("HS256", []byte("x"), ann(), "kid", "' UNION SELECT 'x' --"),
		"a number as the key's name":     mint("HS256", []byte(secret), ann(), "kid", 7),
		"null as the key's name":         mint("HS256", []byte(secret), ann(), "kid", nil),
		"a list as the key's name":       mint("HS256", []byte(secret), ann(), "kid", []string{"rsa"}),
		"four parts":                     signed + ".x",
		"two parts":                      parts[0] + "." + parts[1],
		"one part":                       parts[0],
		"dots":                           "..",
		"many dots":                      strings.Repeat(".", 10_000),
		"words":                          "open, sesame",
		"a huge token":                   signed + strings.Repeat("A", 1<<20/2),
		"a huge claim":                   good("more", strings.Repeat("x", 1<<14)),
		"deep JSON":                      raw(`{"alg":"HS256"}`, strings.Repeat("[", 9000), parts[2]),
		"padding":                        signed + "=",
		"a newline":                      signed + "\n",
		"NUL":                            "\x00" + signed,
		"claims null":                    raw(`{"alg":"HS256"}`, `null`, parts[2]),
		"Bearer":                         "Bearer " + signed,
	} {
		server, g := guarded(t, auth.Options{Secret: secret, PublicKeyFile: publicPEM(t, "rsa"), Optional: true}, socketio.Options{})
		requireRefused(t, server.Connect(with(token)), "invalid token", "token_invalid")
		counted(t, g, map[string]uint64{"invalid": 1})
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestWhatTheTokenSaysIsChecked(t *testing.T) {
	t.Parallel()
	now := time.Now()
	strict := auth.Options{Secret: secret, Issuer: "https://issuer.example", Audience: []string{"chat", "chat2"}, Leeway: time.Minute}
	loose := auth.Options{Secret: secret, AllowForever: true, SubjectClaim: "uid"}
	plain := auth.Options{Secret: secret}
	ours := func(more ...any) []any { return append([]any{"iss", "https://issuer.example", "aud", "chat"}, more...) }
	const invalid = "token_invalid"
	for name, tt := range map[string]struct {
		options auth.Options
		claims  []any
		code    string // empty: in
	}{
		"all as it should be":         {strict, ours(), ""},
		"one of the audiences":        {strict, ours("aud", []string{"x", "chat2"}), ""},
		"expired a moment ago":        {strict, ours("exp", now.Add(-10*time.Second).Unix()), ""},
		"valid in a moment":           {strict, ours("nbf", now.Add(10*time.Second).Unix()), ""},
		"expired":                     {strict, ours("exp", now.Add(-time.Hour).Unix()), "token_expired"},
		"expired long ago":            {plain, []any{"exp", 1}, "token_expired"},
		"not valid yet":               {strict, ours("nbf", now.Add(time.Hour).Unix()), "token_not_yet_valid"},
		"another's issuer":            {strict, ours("iss", "https://evil.example"), invalid},
		"no issuer":                   {strict, ours("iss", nil), invalid},
		"another's audience":          {strict, ours("aud", "shop"), invalid},
		"audiences of others":         {strict, ours("aud", []string{"shop", "cha"}), invalid},
		"no audience":                 {strict, ours("aud", nil), invalid},
		"an audience that is none":    {strict, ours("aud", 7), invalid},
		"no exp":                      {plain, []any{"exp", nil}, invalid},
		"no exp, allowed":             {loose, []any{"exp", nil, "uid", "ann"}, ""},
		"expired, allowed for ever":   {loose, []any{"exp", 1, "uid", "ann"}, "token_expired"},
		"exp a text":                  {plain, []any{"exp", "4102444800"}, invalid},
		"exp a text, allowed":         {loose, []any{"exp", "4102444800", "uid", "ann"}, invalid},
		"exp beyond numbers":          {plain, []any{"exp", -1e300}, "token_expired"},
		"no subject":                  {plain, []any{"sub", nil}, invalid},
		"the empty subject":           {plain, []any{"sub", ""}, invalid},
		"a subject that is an object": {plain, []any{"sub", map[string]any{"a": 1}}, invalid},
		"a long subject":              {plain, []any{"sub", strings.Repeat("x", 257)}, invalid},
		"a long name":                 {plain, []any{"name", strings.Repeat("x", 257)}, invalid},
		"no subject of this claim":    {loose, nil, invalid},
		"rooms":                       {plain, []any{"rooms", []string{"red", "blue"}}, ""},
		"rooms that are no list":      {plain, []any{"rooms", "red"}, invalid},
		"rooms that have no name":     {plain, []any{"rooms", []string{""}}, invalid},
		"rooms that are numbers":      {plain, []any{"rooms", []int{1}}, invalid},
		"too many rooms":              {plain, []any{"rooms", make([]string, 65)}, invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, _ := guarded(t, tt.options, socketio.Options{})
			c := server.Connect(with(good(tt.claims...)))
			switch tt.code {
			case "":
				requireIn(t, c, "ann")
			case "token_expired":
				requireRefused(t, c, "token expired", tt.code)
			case "token_not_yet_valid":
				requireRefused(t, c, "token not valid yet", tt.code)
			default:
				requireRefused(t, c, "invalid token", tt.code)
			}
		})
	}
}

func TestClaimsBecomeTheIdentity(t *testing.T) {
	t.Parallel()
	server, _ := guarded(t, auth.Options{Secret: secret, SubjectClaim: "uid", Leeway: 3 * time.Second}, socketio.Options{})
	end := time.Now().Add(time.Hour).Truncate(time.Second)
	c := server.Connect(with(good("uid", 9007199254740993, "name", nil, "preferred_username", "ann1", "exp", end.Unix(), "rooms", []string{"red", "blue"})))
	if got := auth.Of(c.Socket()); got.Subject != "9007199254740993" || got.Name != "ann1" || !got.Expires.Equal(end.Add(3*time.Second)) {
		t.Errorf("%+v", got)
	}
	if at, ok := c.Socket().Expires(); !ok || !at.Equal(end.Add(3*time.Second)) {
		t.Errorf("it ends %v", at)
	}
	rooms := c.Socket().Rooms()
	slices.Sort(rooms)
	if !slices.Contains(rooms, "red") || !slices.Contains(rooms, "blue") || len(rooms) != 3 {
		t.Errorf("rooms %q", rooms)
	}
	server.To("red").Emit("hello") //nolint:errcheck // seen by the client or not
	c.Expect("hello")
}

func TestGuestsAreLetInWhereTokensAreOptional(t *testing.T) {
	t.Parallel()
	none := []any{nil, map[string]any{}, map[string]any{"token": nil}, map[string]any{"token": ""}, map[string]any{"pid": "x"}}
	for _, optional := range []bool{false, true} {
		server, g := guarded(t, auth.Options{Secret: secret, Optional: optional}, socketio.Options{})
		for _, a := range none {
			c := server.Connect(connectWith(a))
			if optional {
				requireIn(t, c, "")
			} else {
				requireRefused(t, c, "token required", "token_required")
			}
		}
		requireRefused(t, server.Connect(with("wrong")), "invalid token", "token_invalid")
		want := map[string]uint64{"required": uint64(len(none)), "invalid": 1}
		if optional {
			want = map[string]uint64{"guest": uint64(len(none)), "invalid": 1}
		}
		counted(t, g, want)
	}
}

// A server without keys is as if there were no guard.
func TestWithoutKeysNothingIsAsked(t *testing.T) {
	t.Parallel()
	server, g := guarded(t, auth.Options{}, socketio.Options{})
	c := server.Connect(with("whatever"))
	requireIn(t, c, "")
	counted(t, g, nil)
	if err := g.Reload(auth.Options{Secret: secret}); err != auth.ErrSwitch {
		t.Error(err)
	}
	if err := g.Reload(auth.Options{}); err != nil {
		t.Error(err)
	}
}

func TestEveryNamespaceIsGuardedButThoseThatAreNamed(t *testing.T) {
	t.Parallel()
	v := socketio.New(socketio.Options{})
	newGuard(t, auth.Options{Secret: secret}).Protect(v, "/admin")
	v.Of("/news")
	v.Of("/admin")
	v.OfFunc(func(_ ctxt, name string, _ socketio.Raw) bool { return strings.HasPrefix(name, "/dyn-") })
	server := startServer(t, v)
	for _, nsp := range []string{"/", "/news", "/dyn-1"} {
		o := with(good())
		o.Namespace = nsp
		requireIn(t, server.Connect(o), "ann")
		o.Auth = nil
		requireRefused(t, server.Connect(o), "token required", "token_required")
	}
	o := connectWith(nil)
	o.Namespace = "/admin"
	requireIn(t, server.Connect(o), "")
}

func TestBadKeysAreErrors(t *testing.T) {
	t.Parallel()
	short := must(x509.MarshalPKIXPublicKey(signers()["rsa"].Public()))
	private := must(x509.MarshalPKCS8PrivateKey(signers()["ed"]))
	text := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	for want, o := range map[string]auth.Options{
		"needs 32 at least":             {Secret: "short"},
		"has 6 bytes":                   {SecretFile: file(t, "s", secret+"\nsecond\n")},
		"no key in it":                  {SecretFile: file(t, "s", "\n\n")},
		"everybody knows":               {SecretFile: publicPEM(t, "rsa")},
		"private key in it":             {PublicKeyFile: file(t, "p", text("PRIVATE KEY", private))},
		"which is no key":               {PublicKeyFile: file(t, "p", text("DH PARAMETERS", short))},
		"asn1":                          {PublicKeyFile: file(t, "p", text("PUBLIC KEY", short[5:]))},
		"no such file":                  {PublicKeyFile: "/nonexistent/key.pem"},
		"no json web key set":           {JWKS: file(t, "j", "[]")},
		"there is no key":               {JWKS: file(t, "j", jwks(jwk("rsa", "use", "enc"), map[string]any{"kty": "oct", "k": "AAAA"}, jwk("rsa", "alg", "HS256"), map[string]any{"kty": "new"}))},
		"more than 100 keys":            {JWKS: file(t, "j", jwks(slices.Repeat([]map[string]any{jwk("ed")}, 101)...))},
		"there is no secret in it":      {Webhook: auth.Webhook{URL: "http://127.0.0.1:1", SecretFile: file(t, "w", "\n")}},
		"/nonexistent/webhook: no such": {Webhook: auth.Webhook{URL: "http://127.0.0.1:1", SecretFile: "/nonexistent/webhook"}},
	} {
		g, err := auth.New(o)
		if !strings.Contains(words(err), want) || !strings.HasPrefix(words(err), "auth: ") {
			t.Errorf("%v, want %q", err, want)
		}
		if strings.Contains(words(err), secret) {
			t.Error("the secret is in the error")
		}
		if err == nil {
			g.Close()
		}
	}
}

// What a key set says of a key binds: an RSA key for PS256 verifies no RS256.
func TestAKeySetsAlgorithmBinds(t *testing.T) {
	t.Parallel()
	server, _ := guarded(t, auth.Options{JWKS: file(t, "j", jwks(jwk("rsa", "alg", "PS256"), jwk("rsa2")))}, socketio.Options{})
	requireIn(t, server.Connect(with(mint("PS256", signers()["rsa"], ann(), "kid", "rsa"))), "ann")
	requireRefused(t, server.Connect(with(mint("RS256", signers()["rsa"], ann(), "kid", "rsa"))), "invalid token", "token_invalid")
	requireRefused(t, server.Connect(with(mint("PS256", signers()["rsa"], ann(), "kid", "rsa2"))), "invalid token", "token_invalid")
	requireIn(t, server.Connect(with(mint("RS256", signers()["rsa2"], ann()))), "ann")
}

func TestReloadKeepsTheOldWhereTheNewIsBad(t *testing.T) {
	t.Parallel()
	path := file(t, "secrets", secret)
	server, g := guarded(t, auth.Options{SecretFile: path}, socketio.Options{})
	old := server.Connect(with(good()))
	requireIn(t, old, "ann")
	const second = "the second secret, which is as long as the first"
	other := mint("HS256", []byte(second), ann("sub", "bob"))
	requireRefused(t, server.Connect(with(other)), "invalid token", "token_invalid")

	for _, bad := range []auth.Options{{Secret: "short"}, {PublicKeyFile: "/nonexistent"}, {SecretFile: path, JWKS: "http://127.0.0.1:1/"}, {}} {
		if err := g.Reload(bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
		requireIn(t, server.Connect(with(good())), "ann")
	}
	write(t, path, second)
	if err := g.Reload(auth.Options{SecretFile: path}); err != nil {
		t.Fatal(err)
	}
	requireIn(t, server.Connect(with(other)), "bob")
	requireRefused(t, server.Connect(with(good())), "invalid token", "token_invalid")
	requireIn(t, old, "ann")
	if !old.Socket().Connected() {
		t.Error("who was in is out")
	}
}

// Reloads, connects and the end at the same time.
func TestReloadWhileClientsConnect(t *testing.T) {
	t.Parallel()
	server, g := guarded(t, auth.Options{Secret: secret}, socketio.Options{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 50 {
			if err := g.Reload(auth.Options{Secret: secret}); err != nil {
				t.Error(err)
			}
			g.Stats()
		}
	}()
	for range 50 {
		requireIn(t, server.Connect(with(good())), "ann")
	}
	<-done
	g.Close()
	requireIn(t, server.Connect(with(good())), "ann")
	if err := g.Reload(auth.Options{Secret: secret}); err != nil {
		t.Error(err)
	}
}

func TestStatsNameEveryResult(t *testing.T) {
	t.Parallel()
	g := newGuard(t, auth.Options{Secret: secret})
	got := fmt.Sprint(slices.Sorted(maps.Keys(g.Stats().Results)), slices.Sorted(maps.Keys(g.Stats().Webhook)))
	if want := "[allowed expired guest invalid refreshed refused required too_soon unavailable] [allowed busy failed gone open refused timeout]"; got != want {
		t.Error(got)
	}
}
