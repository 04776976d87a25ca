package auth_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/golang-jwt/jwt/v5"
)

const secret = "a secret that only we and the tests know, which is long"

// signers are one key of each kind. Made once: RSA takes its time.
var signers = sync.OnceValue(func() map[string]crypto.Signer {
	all := map[string]crypto.Signer{}
	for _, id := range []string{"rsa", "rsa2"} {
		all[id] = must(rsa.GenerateKey(rand.Reader, 2048))
	}
	all["p256"] = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	all["p384"] = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	all["p521"] = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	all["ed"] = must(ed, err)
	return all
})

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// ann is what a good token says; more are further claims, and nil takes one away.
func ann(more ...any) jwt.MapClaims {
	c := jwt.MapClaims{"sub": "ann", "name": "Ann", "exp": time.Now().Add(time.Hour).Unix()}
	for i := 0; i < len(more); i += 2 {
		if c[more[i].(string)] = more[i+1]; more[i+1] == nil {
			delete(c, more[i].(string))
		}
	}
	return c
}

// mint signs; header are further fields of the token's head.
func mint(method string, key any, claims jwt.MapClaims, header ...any) string {
	t := jwt.NewWithClaims(jwt.GetSigningMethod(method), claims)
	for i := 0; i < len(header); i += 2 {
		t.Header[header[i].(string)] = header[i+1]
	}
	return must(t.SignedString(key))
}

// good is a token for secret.
func good(more ...any) string { return mint("HS256", []byte(secret), ann(more...)) }

// publicPEM is a file with the public keys of these signers.
func publicPEM(t *testing.T, ids ...string) string {
	t.Helper()
	var b bytes.Buffer
	for _, id := range ids {
		der := must(x509.MarshalPKIXPublicKey(signers()[id].Public()))
		_ = pem.Encode(&b, &pem.Block{Type: "PUBLIC KEY", Bytes: der}) // to memory
	}
	return file(t, "public.pem", b.String())
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// jwk is a signer's public key as a member of a key set.
func jwk(id string, more ...any) map[string]any {
	b64 := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	m := map[string]any{"kid": id, "use": "sig"}
	switch p := signers()[id].Public().(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", b64(p.N.Bytes()), b64(big.NewInt(int64(p.E)).Bytes())
	case *ecdsa.PublicKey:
		point := must(p.Bytes())[1:]
		m["kty"], m["crv"], m["x"], m["y"] = "EC", p.Params().Name, b64(point[:len(point)/2]), b64(point[len(point)/2:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", b64(p)
	}
	for i := 0; i < len(more); i += 2 {
		m[more[i].(string)] = more[i+1]
	}
	return m
}

func jwks(keys ...map[string]any) string {
	return string(must(json.Marshal(map[string]any{"keys": keys})))
}

// newGuard makes a guard for the time of the test; its log must have no token.
func newGuard(t *testing.T, o auth.Options) *auth.Guard {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	g, err := auth.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// guarded is a server with a guard, and an event that says who one is.
func guarded(t *testing.T, o auth.Options, so socketio.Options) (*socketiotest.Server, *auth.Guard) {
	t.Helper()
	g := newGuard(t, o)
	v := socketio.New(so)
	g.Protect(v)
	socketio.OnAck(v, "whoami", func(_ ctxt, s *socketio.Socket, _ socketio.Raw) ([]string, error) {
		who := auth.Of(s)
		return append([]string{who.Subject, who.Name}, s.Rooms()...), nil
	})
	return socketiotest.Start(t, v), g
}

// with connects with a token.
func with(token string) socketiotest.ConnectOptions {
	return socketiotest.ConnectOptions{Auth: map[string]string{"token": token}}
}

// requireRefused wants a refusal in these words, with this code.
func requireRefused(t *testing.T, c *socketiotest.Client, message, code string) {
	t.Helper()
	e := c.Refused()
	if e == nil {
		return // the client has said it
	}
	var data struct{ Code string }
	raw, _ := e.Data.(json.RawMessage)
	if err := json.Unmarshal(raw, &data); err != nil || e.Message != message || data.Code != code {
		t.Errorf("refused: %q %s, want %q %q", e.Message, raw, message, code)
	}
}

// requireIn wants to be in, as this subject.
func requireIn(t *testing.T, c *socketiotest.Client, subject string) {
	t.Helper()
	if got := auth.Of(c.Socket()).Subject; got != subject {
		t.Errorf("in as %q, want %q", got, subject)
	}
}

// patience is how long to wait for what is expected.
const patience = 20 * time.Second

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		time.Sleep(time.Millisecond)
	}
}

// counted compares the counters that are not 0.
func counted(t *testing.T, g *auth.Guard, want map[string]uint64) {
	t.Helper()
	for name, n := range g.Stats().Results {
		if n != want[name] {
			t.Errorf("%s: %d, want %d", name, n, want[name])
		}
	}
}

var errNone = errors.New("none")

// words of an error, with the folder of the test's files cut out.
func words(err error) string {
	if err == nil {
		err = errNone
	}
	return strings.ToLower(err.Error())
}

func connectWith(a any) socketiotest.ConnectOptions { return socketiotest.ConnectOptions{Auth: a} }

func startServer(t *testing.T, v *socketio.Server) *socketiotest.Server {
	t.Helper()
	return socketiotest.Start(t, v)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// dialAndConnect opens a WebSocket and asks for the default namespace; what it returns
// hangs up.
func dialAndConnect(t *testing.T, addr string) (hangUp func()) {
	t.Helper()
	conn, _, _, err := ws.Dial(t.Context(), "ws://"+addr+"/socket.io/?EIO=4&transport=websocket")
	if err != nil {
		t.Fatal(err)
	}
	if err := wsutil.WriteClientText(conn, []byte(`40{"token":"x"}`)); err != nil {
		t.Fatal(err)
	}
	return func() { _ = conn.Close() }
}
