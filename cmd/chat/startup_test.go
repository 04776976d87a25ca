package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestOnePortServesThePageAndSocketIO(t *testing.T) {
	p := start(t, anywhere())
	if !strings.HasPrefix(p.url, "http://localhost:") {
		t.Errorf("prints %s, want a URL that a browser on this machine can open", p.url)
	}
	page := get(t, p.url+"/")
	page.want(t, 200, "cdn.socket.io")
	if kind := page.Header.Get("Content-Type"); kind != "text/html; charset=utf-8" {
		t.Errorf("the page is %s", kind)
	}
	get(t, p.url+"/chat.js").want(t, 200, "chatMessage")
	get(t, p.url+"/nothing").want(t, 404, "")
	get(t, p.printed(`(?m)^try:\s+curl '(http://\S+)'$`)).want(t, 200, `0{"sid":"`)

	handshake := get(t, p.url+polling, "Origin", "https://elsewhere.example")
	handshake.want(t, 200, `0{"sid":"`)
	if allowed := handshake.Header.Get("Access-Control-Allow-Origin"); allowed != "*" {
		t.Errorf("Access-Control-Allow-Origin: %q, want *", allowed)
	}
}

// Pages of another origin ask first before they post a content type of their own.
func TestAnyOriginMayAsk(t *testing.T) {
	p := start(t, anywhere())
	a := ask(t, http.MethodOptions, p.url+polling, "", "Origin", "https://elsewhere.example",
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
	a.want(t, 204, "")
	if allowed := a.Header.Get("Access-Control-Allow-Origin"); allowed != "*" {
		t.Errorf("Access-Control-Allow-Origin: %q, want *", allowed)
	}
}

func TestThePortMayComeFromTheEnvironment(t *testing.T) {
	fromEnv, fromFlag := freePort(t), freePort(t)
	tests := []struct {
		name string
		c    command
		want string
	}{
		{"environment", command{env: []string{"PORT=" + fromEnv, "ADMIN=127.0.0.1:0"}}, fromEnv},
		{"a flag wins", command{env: []string{"PORT=" + fromEnv, "ADMIN=off"}, args: []string{"--port=" + fromFlag, "--admin=127.0.0.1:0"}}, fromFlag},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := start(t, tt.c)
			if p.port() != tt.want {
				t.Fatalf("serves on %s, want %s", p.port(), tt.want)
			}
			get(t, p.url+"/").want(t, 200, "<title>")
		})
	}
}

func TestASecondProcessOnThePortSaysWhatToDo(t *testing.T) {
	first := start(t, anywhere())
	client := dialPolling(t, first.url)

	code, out, log := fail(t, command{args: []string{"--port=" + first.port(), "--admin=127.0.0.1:0"}})
	requireAdvice(t, code, 1, log, "port "+first.port()+" is in use", "--port", "PORT")
	if out != "" {
		t.Errorf("it prints %q although it serves nobody", out)
	}
	code, _, log = fail(t, command{args: []string{"--host=127.0.0.1", "--port=" + first.port(), "--admin=off"}})
	requireAdvice(t, code, 1, log, "port "+first.port()+" is in use")

	client.emit("chatMessage", "still there?")
	client.expect(`42["reply","still there?"`)
	for range 20 {
		get(t, first.url+"/").want(t, 200, "<title>")
	}
}

func TestABusyAdminAddressSaysWhatToDo(t *testing.T) {
	first := start(t, anywhere())
	port := freePort(t)
	busy := strings.TrimPrefix(first.admin, "http://")
	code, _, log := fail(t, command{args: []string{"--port=" + port, "--admin=" + busy}})
	requireAdvice(t, code, 1, log, "admin address "+busy+" is in use", "--admin", "ADMIN", "--admin=off")

	start(t, command{args: []string{"--port=" + port, "--admin=off"}}).stop(syscall.SIGTERM)
	get(t, first.admin+"/healthz").want(t, 200, "ok")
}

func TestTooFewDescriptorsSayWhatToDo(t *testing.T) {
	c := anywhere()
	c.limit = 64
	code, _, log := fail(t, c)
	requireAdvice(t, code, 1, log, "64", "ulimit -n", "start again")
}

func TestAddressesThatDoNotWorkSayWhatToDo(t *testing.T) {
	for args, advice := range map[string]string{
		"--port=0 --admin=off --host=192.0.2.1":    "--host",  // reserved for documentation (RFC 5737)
		"--port=0 --admin=off --host=300.300.1.1":  "--host",  // no address, and no name that anybody has
		"--port=0 --admin=nonsense":                "--admin", // no port
		"--port=0 --admin=127.0.0.1:99999":         "--admin",
		"--port=0 --admin=192.0.2.1:6060 --host=0": "--", // several at once: one of them is named
	} {
		t.Run(args, func(t *testing.T) {
			code, _, log := fail(t, command{args: strings.Fields(args)})
			requireAdvice(t, code, 1, log, advice)
		})
	}
}

func TestWithoutAnAdminAddressNothingIsPrintedAboutIt(t *testing.T) {
	p := start(t, command{args: []string{"--port=0", "--admin=off"}})
	get(t, p.url+"/").want(t, 200, "<title>")
	p.stop(syscall.SIGTERM)
	if out := p.out.String(); strings.Contains(out, "admin") {
		t.Errorf("prints %q", out)
	}
}

func TestTheClientFilesOfTheNpmPackageAreServed(t *testing.T) {
	folder := clientFolder(t)
	p := start(t, anywhere("--client-files="+folder))
	page := get(t, p.url+"/")
	page.want(t, 200, `src="/socket.io/socket.io.min.js"`)
	if strings.Contains(page.body, "cdn.socket.io") {
		t.Error("the page still refers to the CDN")
	}
	script, err := os.ReadFile(filepath.Join(folder, "socket.io.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	got := get(t, p.url+"/socket.io/socket.io.min.js", "Origin", "https://elsewhere.example")
	got.want(t, 200, string(script))
	for name, want := range map[string]string{
		"Content-Type":                "application/javascript; charset=utf-8",
		"Access-Control-Allow-Origin": "*",
	} {
		if have := got.Header.Get(name); have != want {
			t.Errorf("%s: %q, want %q", name, have, want)
		}
	}
	// Every other path there is Engine.IO's, whatever the folder holds.
	get(t, p.url+"/socket.io/index.js").want(t, 400, "Transport unknown")
	get(t, p.url+polling).want(t, 200, `0{"sid":"`)
}

// requireAdvice fails the test unless the program ended with that exit code and a
// message of a line that has every text in it.
func requireAdvice(t *testing.T, code, want int, log string, texts ...string) {
	t.Helper()
	if code != want {
		t.Errorf("exit code %d, want %d", code, want)
	}
	line := ""
	for l := range strings.Lines(log) {
		if strings.HasPrefix(l, "chat: ") {
			line = l
		}
	}
	for _, text := range texts {
		if !strings.Contains(line, text) {
			t.Errorf("the message lacks %q: %q", text, log)
		}
	}
	for _, noise := range []string{"goroutine ", "panic"} {
		if strings.Contains(log, noise) {
			t.Errorf("not for users: %s", log)
		}
	}
}

// clientFolder returns the folder with the official client of the npm package, and
// skips the test where that is not installed.
func clientFolder(t *testing.T) string {
	t.Helper()
	const modules = "../../engine/socketio/clienttest/testdata/node/node_modules"
	folder, err := filepath.Abs(modules + "/socket.io-client-4.8/dist")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("the node packages are missing: run `npm ci --prefix engine/socketio/clienttest/testdata/node`")
	}
	return folder
}
