package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// secretFile is a file with a secret.
func secretFile(t *testing.T, secret string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const chatSecret = "the secret of the chat, which is long enough for HS256"

// mint has the program print a token.
func mint(t *testing.T, secrets string, args ...string) string {
	t.Helper()
	out, err := exec.Command(program, append([]string{"token", "--auth-secret-file=" + secrets}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// The stock client, over each transport, with a token in each place.
func TestStockClientsAreLetInWithAToken(t *testing.T) {
	secrets := secretFile(t, chatSecret)
	p := start(t, anywhere("--auth-secret-file="+secrets, "--auth-cookie=session", "--origin=https://chat.example", "--log-level=debug"))
	driver := clienttest.Start(t)
	token := mint(t, secrets, "--subject=ann", "--name=Ann")
	for _, transports := range [][]string{clienttest.Polling, clienttest.WebSocket, clienttest.Upgrade} {
		for place, o := range map[string]clienttest.ClientOptions{
			"auth":          {Auth: map[string]string{"token": token}},
			"Authorization": {Headers: map[string]string{"Authorization": "Bearer " + token}},
			"cookie":        {Headers: map[string]string{"Cookie": "theme=dark; session=" + token}},
		} {
			o.URL, o.Transports = p.url, transports
			c := driver.Connect(t, o)
			c.Emit("chatMessage", "by "+place)
			requireReply(t, c, "by "+place)
			c.Disconnect()
		}
		for want, object := range map[string]map[string]string{
			`token required {"code":"token_required"}`: nil,
			`invalid token {"code":"token_invalid"}`:   {"token": token + "x"},
			`token expired {"code":"token_expired"}`:   {"token": mint(t, secrets, "--ttl=-1m")},
		} {
			c, refusal := driver.TryConnect(t, clienttest.ClientOptions{URL: p.url, Transports: transports, Auth: object, Reconnect: true})
			if refusal == nil || refusal.Message+" "+string(refusal.Data) != want {
				t.Errorf("%v, want %s", refusal, want)
				continue
			}
			if c.State().Active {
				t.Error("the client would try again by itself, for ever")
			}
		}
	}
	p.counts(map[string]float64{
		`fanfare_auth_total{result="allowed"}`: 9, `fanfare_auth_total{result="required"}`: 3, `fanfare_auth_total{result="invalid"}`: 3,
		`fanfare_auth_total{result="expired"}`: 3, `fanfare_auth_total{result="guest"}`: 0, "fanfare_auth_keys": 1,
	})
	for _, text := range []string{token, token[strings.LastIndexByte(token, '.')+1:], chatSecret} {
		if strings.Contains(p.log.String()+p.out.String(), text) {
			t.Error("the log has a token, or the secret")
		}
	}
}

// Its token runs out: the client is told before, may bring a new one, and is otherwise
// disconnected in a way that the stock client does not answer by coming back.
func TestTokensExpireOnLiveConnections(t *testing.T) {
	secrets := secretFile(t, chatSecret)
	p := start(t, anywhere("--auth-secret-file="+secrets, "--auth-warn=1h", "--auth-leeway=0s"))
	driver := clienttest.Start(t)
	connect := func(transports []string) *clienttest.Client {
		o := clienttest.ClientOptions{URL: p.url, Transports: transports, Reconnect: true}
		o.Auth = map[string]string{"token": mint(t, secrets, "--subject=ann", "--ttl=8s")}
		return driver.Connect(t, o)
	}
	// Made beforehand: to make one takes long on a busy machine, and time runs.
	bobs, next := mint(t, secrets, "--subject=bob"), mint(t, secrets, "--subject=ann")
	refreshed, left := connect(clienttest.WebSocket), connect(clienttest.Polling)
	var told struct{ At time.Time }
	raw := refreshed.Wait("expiring", 1)[0][0] // at half the time, as there is less than --auth-warn
	if err := json.Unmarshal(raw, &told); err != nil || time.Until(told.At) > 8*time.Second {
		t.Errorf("%s %v", raw, err)
	}
	if got := string(refreshed.EmitAck("refresh", bobs)[0]); got != `{"error":"the token is somebody else's","code":"other_subject"}` {
		t.Error(got)
	}
	eventually(t, func() error { // one refresh a second
		if got := string(refreshed.EmitAck("refresh", next)[0]); !strings.HasPrefix(got, `{"at":"`) {
			return errors.New(got)
		}
		return nil
	})
	left.Wait("expiring", 1)
	left.Wait("expired", 1)
	if why := left.WaitDisconnect(); why.Reason != "io server disconnect" {
		t.Errorf("%+v", why)
	}
	if s := left.State(); s.Active || s.Connected {
		t.Errorf("it comes back by itself: %+v", s)
	}
	if refusal := left.Reconnect(nil); refusal == nil || refusal.Message != "token expired" {
		t.Errorf("%v", refusal)
	}
	if refusal := left.Reconnect(map[string]string{"token": mint(t, secrets, "--subject=ann")}); refusal != nil {
		t.Error(refusal)
	}
	refreshed.EmitAck("chatMessage", "still here")
	requireReply(t, refreshed, "still here")
}

func TestKeysAreReadAgainOnSIGHUP(t *testing.T) {
	secrets := secretFile(t, chatSecret)
	p := start(t, anywhere("--auth-secret-file="+secrets))
	driver := clienttest.Start(t)
	before := driver.Connect(t, clienttest.ClientOptions{URL: p.url, Auth: map[string]string{"token": mint(t, secrets)}})
	old := mint(t, secrets)
	replace := func(text, says string) {
		t.Helper()
		if err := os.WriteFile(secrets, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p.signal(syscall.SIGHUP)
		eventually(t, func() error {
			if !strings.Contains(p.log.String(), says) {
				return errors.New("it does not say " + says)
			}
			return nil
		})
	}
	replace("short", "the old configuration stays in use")
	driver.Connect(t, clienttest.ClientOptions{URL: p.url, Auth: map[string]string{"token": old}})
	replace("the second secret, which is as long as the first was", "the configuration was read again")
	if _, refusal := driver.TryConnect(t, clienttest.ClientOptions{URL: p.url, Auth: map[string]string{"token": old}}); refusal == nil {
		t.Error("the old secret is still good")
	}
	driver.Connect(t, clienttest.ClientOptions{URL: p.url, Auth: map[string]string{"token": mint(t, secrets)}})
	before.Emit("chatMessage", "still here")
	requireReply(t, before, "still here")
}

// The backend decides, and takes its time: those who are in do not notice.
func TestABackendDecides(t *testing.T) {
	slow := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case r.Header.Get("X-Fanfare-Signature") == "":
			w.WriteHeader(http.StatusInternalServerError)
		case bytes.Contains(body, []byte(`"key":"slow"`)):
			<-slow
			w.WriteHeader(http.StatusForbidden)
		case bytes.Contains(body, []byte(`"key":"ann"`)):
			_, _ = io.WriteString(w, `{"subject":"ann"}`)
		default:
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"not on the list","data":{"list":7}}`)
		}
	}))
	defer backend.Close()
	defer close(slow)
	c := anywhere("--auth-webhook="+backend.URL, "--auth-webhook-timeout=1m", "--auth-webhook-secret-file="+secretFile(t, "shared"))
	c.env = []string{"GOMAXPROCS=1"} // one loop: whoever held it up would hold up all
	p := start(t, c)
	driver := clienttest.Start(t)
	in := driver.Connect(t, clienttest.ClientOptions{URL: p.url, Auth: map[string]string{"key": "ann"}})
	_, refusal := driver.TryConnect(t, clienttest.ClientOptions{URL: p.url, Auth: map[string]string{"key": "bob"}})
	if refusal == nil || refusal.Message != "not on the list" || string(refusal.Data) != `{"list":7}` {
		t.Errorf("%v", refusal)
	}
	waiting := make([]*wireSocket, 64)
	for i := range waiting {
		waiting[i] = openWebSocket(t, p.url)
		waiting[i].send(`40{"key":"slow"}`)
	}
	p.counts(map[string]float64{"fanfare_auth_webhook_busy": 64})
	for range 20 {
		begin := time.Now()
		in.EmitAck("chatMessage", "hello")
		if took := time.Since(begin); took > 5*time.Second { // a minute, were it held up
			t.Fatalf("an acknowledgement took %v", took)
		}
	}
	p.counts(map[string]float64{
		"fanfare_auth_webhook_busy": 64, `fanfare_auth_webhook_total{result="allowed"}`: 1, `fanfare_auth_webhook_total{result="refused"}`: 1,
	})
}

// A cookie says who somebody is to whatever page asks: which pages, is to be said.
func TestCookiesNeedOrigins(t *testing.T) {
	secrets := "--auth-secret-file=" + secretFile(t, chatSecret)
	for want, args := range map[string][]string{
		"name the origins with --origin": {secrets, "--auth-cookie=session"},
		"name the origins":               {"--auth-webhook=http://127.0.0.1:1", "--auth-webhook-headers=cookie"},
		"do nothing without keys":        {"--auth-cookie=session", "--origin=https://a.example"},
		"exclude each other":             {secrets, "--auth-secret=" + chatSecret},
		"must be a URL":                  {"--auth-webhook=backend"},
		"needs 32 at least":              {"--auth-secret=short"},
		"512 at most together":           {"--auth-webhook=http://127.0.0.1:1", "--auth-webhook-concurrency=500"},
		"without --auth-webhook":         {"--auth-webhook-secret=x"},
		"is not the name of a cookie":    {secrets, "--auth-cookie=a b", "--origin=https://a.example"},
		"--auth-jwks-refresh must be":    {"--auth-jwks-refresh=1ms"},
		"must not be negative":           {"--auth-warn=-1s"},
		"--auth-webhook-timeout must be": {"--auth-webhook=http://127.0.0.1:1", "--auth-webhook-timeout=0s"},
		"in it, which is no key":         {"--auth-public-key=" + pemFile(t)},
	} {
		code, _, log := fail(t, anywhere(args...))
		if code == 0 || !strings.Contains(log, want) {
			t.Errorf("%q: exit code %d, %q, want %q", args, code, log, want)
		}
		if strings.Contains(log, chatSecret) {
			t.Error("the secret is printed")
		}
	}
}

func pemFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(path, []byte("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A client that lost its connection has to show its token again: recovery by an id alone would
// let in whose key was taken away, or whom the backend has banned meanwhile.
func TestRecoveryDoesNotGoAroundTheGuard(t *testing.T) {
	secrets := secretFile(t, chatSecret)
	p := start(t, anywhere("--auth-secret-file="+secrets))
	wire := newCable(t, p.url)
	driver := clienttest.Start(t)
	token := mint(t, secrets, "--subject=ann")
	c := driver.Connect(t, clienttest.ClientOptions{URL: wire.url, Transports: clienttest.WebSocket, Auth: map[string]string{"token": token}})
	c.EmitAck("chatMessage", "before")
	lose := func() {
		t.Helper()
		wire.cut()
		c.WaitDisconnect()
		wire.mend()
	}
	lose()
	if refusal := c.Reconnect(map[string]string{"token": token}); refusal != nil || !c.State().Recovered {
		t.Errorf("%v, recovered: %v", refusal, c.State().Recovered)
	}
	lose()
	if refusal := c.Reconnect(map[string]string{}); refusal == nil || refusal.Message != "token required" {
		t.Errorf("without a token: %v", refusal)
	}
}
