package main_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const apiKey = "a-key-of-the-tests-1234"

// publishing starts the program with its API on.
func publishing(t *testing.T, args ...string) (p *process, url string) {
	t.Helper()
	c := anywhere(append([]string{"--api=127.0.0.1:0"}, args...)...)
	c.env = []string{"FANFARE_API_KEY=" + apiKey}
	p = start(t, c)
	return p, strings.TrimSuffix(p.printed(`(?m)^api:\s+(https?://\S+)$`), "/")
}

// emitTo runs the emit command, with standard input, and returns what it prints.
func emitTo(t *testing.T, url, in string, args ...string) (code int, out, log string) {
	t.Helper()
	cmd := exec.Command(program, append([]string{"emit", "--url=" + url}, args...)...)
	cmd.Env = []string{"FANFARE_API_KEY=" + apiKey}
	var o, l bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &o, &l
	_ = cmd.Run() // the exit code says it
	return cmd.ProcessState.ExitCode(), o.String(), l.String()
}

func TestEmitReachesClients(t *testing.T) {
	_, url := publishingTo(t)
	p, s := url.process, url.socket
	for _, tt := range []struct {
		args []string
		want string // by the client
	}{
		{[]string{"e"}, `42["e"]`},
		{[]string{"e", "word", `{"b":1,"a":9007199254740993}`, "5", "true", `"5"`, "two words"}, `42["e","word",{"b":1,"a":9007199254740993},5,true,"5","two words"]`},
		{[]string{"--string", "e", "5", `{"a":1}`, "-"}, `42["e","5","{\"a\":1}","-"]`},
		{[]string{"--room=r,s", "--room=" + url.id, "--except=nobody", "--volatile", "--namespace=/", "e", "--", "-5"}, `42["e",-5]`},
	} {
		code, out, log := emitTo(t, url.api, "", tt.args...)
		if code != 0 || out != "emitted to 1 socket\n" {
			t.Errorf("%q: exit code %d, %s%s", tt.args, code, out, log)
		}
		if got := s.receive(tt.want); got != tt.want {
			t.Errorf("%q: have %s, want %s", tt.args, got, tt.want)
		}
	}
	if code, out, log := emitTo(t, url.api, "", "--room=nobody", "e"); code != 0 || out != "emitted to 0 sockets\n" {
		t.Errorf("exit code %d, %s%s", code, out, log)
	}
	if text := p.log.String() + p.out.String(); strings.Contains(text, apiKey) {
		t.Errorf("the key was printed: %s", text)
	}
}

// reached is a program with a client.
type reached struct {
	process *process
	api, id string
	socket  *wireSocket
}

func publishingTo(t *testing.T, args ...string) (*process, reached) {
	t.Helper()
	// The events are then all that the client receives: no offset behind the last argument.
	p, url := publishing(t, append(args, "--recovery-window=0s")...)
	s := dialWebSocket(t, p.url)
	a := get(t, url+"/v1/sockets", "X-API-Key", apiKey)
	a.want(t, 200, `"total":1`)
	_, id, _ := strings.Cut(a.body, `"id":"`)
	id, _, _ = strings.Cut(id, `"`)
	return p, reached{p, url, id, s}
}

func TestEmitSendsTheLinesOfStandardInput(t *testing.T) {
	_, r := publishingTo(t)
	var in strings.Builder
	for i := range 1200 {
		fmt.Fprintf(&in, "[%d]\n", i)
	}
	code, out, log := emitTo(t, r.api, in.String()+"\nword\n[\"a\",{}]\n[broken\n  7  \n", "e", "-")
	if code != 0 || out != "emitted 1204 events\n" {
		t.Fatalf("exit code %d, %s%s", code, out, log)
	}
	for i := range 1200 {
		if got, want := r.socket.receive(""), fmt.Sprintf(`42["e",%d]`, i); got != want {
			t.Fatalf("have %s, want %s", got, want)
		}
	}
	for _, want := range []string{`42["e","word"]`, `42["e","a",{}]`, `42["e","[broken"]`, `42["e",  7  ]`} {
		if got := r.socket.receive(""); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
			t.Errorf("have %s, want %s", got, want)
		}
	}
	code, _, log = emitTo(t, r.api, "1\n2\n", "connect", "-")
	requireAdvice(t, code, 2, log, "line 1", "reserved", "in that request failed") // which may have had the first line only
	code, _, log = emitTo(t, r.api, strings.Repeat("x", 600<<10), "e", "-")
	requireAdvice(t, code, 1, log, "standard input", "after 0 lines")
	if code, out, log := emitTo(t, r.api, "", "e", "-"); code != 0 || out != "emitted 0 events\n" {
		t.Errorf("exit code %d, %s%s", code, out, log)
	}
}

func TestEmitPrintsAcknowledgements(t *testing.T) {
	_, r := publishingTo(t)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		packet := r.socket.receive("a question")
		id, _, _ := strings.Cut(strings.TrimPrefix(packet, "42"), "[")
		r.socket.send("43" + id + `["yes",1.50]`)
	}()
	code, out, log := emitTo(t, r.api, "", "--ack-timeout=20s", "ready?")
	<-answered
	if want := fmt.Sprintf("{\"socket\":%q,\"args\":[\"yes\",1.50]}\n1 of 1 socket acknowledged\n", r.id); code != 0 || out != want {
		t.Errorf("exit code %d, %s%s, want %s", code, out, log, want)
	}
	code, out, log = emitTo(t, r.api, "", "--ack-timeout=50ms", "ready?")
	requireAdvice(t, code, 3, log, "1 socket did not acknowledge")
	if want := fmt.Sprintf("{\"socket\":%q,\"reason\":\"timeout\"}\n0 of 1 socket acknowledged\n", r.id); out != want {
		t.Errorf("%s, want %s", out, want)
	}
}

func TestEmitSaysWhatIsWrong(t *testing.T) {
	_, url := publishing(t)
	for _, tt := range []struct {
		url    string
		code   int
		args   []string
		advice []string
	}{
		{url, 2, []string{"connect"}, []string{"400", `"connect" is a reserved event name`}},
		{url, 2, []string{"--namespace=/nowhere", "e"}, []string{"404", "/nowhere"}},
		{url, 2, []string{"--api-key=another-key-of-the-tests", "e"}, []string{"401", "another key"}},
		{"http://127.0.0.1:1", 1, []string{"e"}, []string{"does not answer", "--api", "127.0.0.1:1"}},
		{"127.0.0.1:3001", 1, []string{"e"}, []string{"--url", "http://127.0.0.1:3001"}},
		{url, wrongCommandLine, []string{"--timeout=0s", "e"}, []string{"--timeout"}},
		{url, wrongCommandLine, []string{"--ack-timeout=-1s", "e"}, []string{"--ack-timeout"}},
		{url, wrongCommandLine, []string{"--ack-timeout=1s", "e", "-"}, []string{"--ack-timeout", "standard input"}},
		{url, wrongCommandLine, nil, []string{"<event>"}},
	} {
		code, _, log := emitTo(t, tt.url, "", tt.args...)
		requireAdvice(t, code, tt.code, log, tt.advice...)
	}
	code, _, log := fail(t, command{args: []string{"emit", "--url=" + url, "e"}})
	requireAdvice(t, code, 1, log, "no key", "FANFARE_API_KEY", "--api-key-file")
	p := start(t, anywhere()) // is no API
	code, _, log = emitTo(t, p.admin, "", "e")
	requireAdvice(t, code, 1, log, "not this program's API")
}

// The command reads the server's own file, and talks to its address.
func TestEmitReadsTheServersFile(t *testing.T) {
	port := freePort(t)
	certFile, keyFile := writeCertificate(t, t.TempDir(), "localhost")
	p, path := configured(t, "api: localhost:"+port+"\napi-key: ["+apiKey+", the-other-key-of-tests]\napi-tls-cert: "+certFile+"\napi-tls-key: "+keyFile+"\nhistory: memory\n")
	p.printed(`(?m)^api:\s+(https://\S+:` + port + `/)$`)
	code, out, log := fail(t, command{args: []string{"emit", "--config=" + path, "e"}})
	if code != 0 || out != "emitted to 0 sockets\n" {
		t.Errorf("exit code %d, %s%s", code, out, log)
	}
}

func TestTheAPIIsOffWithoutAKey(t *testing.T) {
	p := start(t, anywhere("--history=memory"))
	if strings.Contains(p.out.String(), "api:") {
		t.Error(p.out.String())
	}
	keyFile := filepath.Join(t.TempDir(), "keys")
	rewrite(t, keyFile, "# nothing\n\n")
	for _, tt := range []struct {
		code   int
		args   []string
		advice []string
	}{
		{wrongCommandLine, []string{"--api=127.0.0.1:0"}, []string{"--api", "--api-key-file", "openssl rand"}},
		{wrongCommandLine, []string{"--api-key=short"}, []string{"--api-key", "16 characters"}},
		{wrongCommandLine, []string{"--api-key=with space 1234567"}, []string{"--api-key", "header"}},
		{wrongCommandLine, []string{"--api-key=" + apiKey, "--api-tls-cert=main.go"}, []string{"--api-tls-key"}},
		{wrongCommandLine, []string{"--api-key-file=" + keyFile}, []string{"--api-key-file", "no key"}},
		{wrongCommandLine, []string{"--api-key=" + apiKey, "--api-tls-cert=main.go", "--api-tls-key=main.go"}, []string{"--api-tls-cert", "PEM"}},
		{1, []string{"--api-key=" + apiKey, "--api=256.1.1.1:1"}, []string{"--api", "does not work"}},
	} {
		code, out, log := fail(t, anywhere(append(tt.args, "--history=memory")...))
		requireAdvice(t, code, tt.code, log, tt.advice...)
		if strings.Contains(out+log, "short") || strings.Contains(out+log, "with space") || strings.Contains(out+log, apiKey) {
			t.Errorf("the key is printed: %s%s", out, log)
		}
	}
}

func TestSIGHUPReplacesTheKeys(t *testing.T) {
	keyFile := filepath.Join(t.TempDir(), "keys")
	rewrite(t, keyFile, apiKey+"\n")
	p := start(t, anywhere("--history=memory", "--api=127.0.0.1:0", "--api-key-file="+keyFile))
	url := p.printed(`(?m)^api:\s+(http://\S+)/$`)
	info := func(key string, status int) {
		t.Helper()
		get(t, url+"/v1/info", "X-API-Key", key).want(t, status, "")
	}
	info(apiKey, 200)
	const next = "the-next-key-of-the-tests"
	info(next, 401)
	rewrite(t, keyFile, apiKey+"\n"+next+"\n")
	p.reload("the configuration was read again")
	info(apiKey, 200)
	info(next, 200)
	rewrite(t, keyFile, "short\n")
	p.reload("the old configuration stays in use")
	info(next, 200)
	rewrite(t, keyFile, next+"\n")
	p.reload("the configuration was read again")
	info(next, 200)
	info(apiKey, 401)
	p.counts(map[string]float64{
		`fanfare_api_requests_total{code="200",endpoint="/v1/info"}`:      5,
		`fanfare_api_requests_total{code="401",endpoint="/v1/info"}`:      2,
		`fanfare_api_request_duration_seconds_count{endpoint="/v1/info"}`: 7,
		`fanfare_api_requests_active`:                                     0,
	})
	if text := p.log.String() + p.out.String(); strings.Contains(text, apiKey) || strings.Contains(text, next) {
		t.Errorf("a key was printed: %s", text)
	}
}
