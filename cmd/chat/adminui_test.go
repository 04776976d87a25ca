package main_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
	"golang.org/x/crypto/bcrypt"
)

const (
	adminName     = "ops"
	adminPassword = "correct horse"
)

// withAdminUI are the flags of a server with the admin UI.
func withAdminUI(t *testing.T, flags ...string) command {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(adminPassword), 10)
	if err != nil {
		t.Fatal(err)
	}
	c := anywhere(append([]string{"--admin-ui-username=" + adminName, "--admin-ui-server-id=one"}, flags...)...)
	c.env = append(c.env, "FANFARE_ADMIN_UI_PASSWORD_HASH="+string(hash))
	return c
}

// adminUIFolder finds the page in the npm package.
func adminUIFolder(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs(filepath.Join(clientFolder(t), "../../@socket.io/admin-ui/ui/dist"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(folder); err != nil {
		clienttest.Unavailable(t, "the node packages are missing: run `npm ci --prefix engine/socketio/clienttest/testdata/node`")
	}
	return folder
}

// settled waits for what moves on a page, but for what never stops.
const settled = `Promise.allSettled(document.getAnimations()
	.filter((a) => a.effect.getTiming().iterations !== Infinity).map((a) => a.finished)).then(() => 0)`

// TestTheAdminUIOfNpm has an operator use the page as it is published.
func TestTheAdminUIOfNpm(t *testing.T) {
	notShort(t)
	p := start(t, withAdminUI(t, "--admin-ui=development", "--admin-ui-files="+adminUIFolder(t), "--client-files="+clientFolder(t)))
	if at := p.printed(`(?m)^admin UI: (\S+)$`); at != p.url+"/admin/" {
		t.Errorf("the page is said to be at %s", at)
	}
	driver := clienttest.Start(t)
	one := driver.Connect(t, clienttest.ClientOptions{URL: p.url, Headers: map[string]string{"Cookie": "name=s3cret"}})
	page := clienttest.OpenBrowser(t).Open(p.url+"/admin/", clienttest.PageOptions{Width: 1400, Height: 900})
	shoot := func(name string) {
		page.Evaluate(settled)
		page.Screenshot(artefact(t, "admin-ui-"+name+".png"))
	}
	goTo := func(path string) { page.Evaluate(fmt.Sprintf("void (location.hash = %q)", path)) }

	page.Fill("form input >> nth=0", p.url)
	page.Fill("form input >> nth=1", adminName)
	page.Fill("form input >> nth=2", "wrong")
	page.Click("form button[type=submit]")
	page.WaitText("form .red--text", "Invalid credentials")
	shoot("refused")
	page.Fill("form input >> nth=2", adminPassword)
	page.Click("form button[type=submit]")
	page.WaitText("main", "Clients")
	shoot("dashboard")

	goTo("#/sockets/")
	page.WaitText("main table", one.ID())
	two := driver.Connect(t, clienttest.ClientOptions{URL: p.url})
	page.WaitText("main table", two.ID())
	shoot("sockets")
	two.Disconnect()
	eventually(t, func() error {
		if all := strings.Join(page.Texts("main table"), " "); strings.Contains(all, two.ID()) {
			return fmt.Errorf("a socket that has gone is shown: %s", all)
		}
		return nil
	})

	page.Click(fmt.Sprintf("main tr:has-text(%q) td >> nth=0", one.ID()))
	page.WaitText("main", "Initial HTTP request")
	shoot("socket")
	if all := strings.Join(page.Texts("main"), " "); strings.Contains(all, "s3cret") || !strings.Contains(all, "(hidden)") {
		t.Errorf("the page shows a cookie:\n%s", all)
	}
	page.Fill("main form .v-select__slot input >> nth=0", "vip")
	page.Press("main form .v-select__slot input >> nth=0", "Enter")
	page.Click("main form button[type=submit]")
	page.WaitText("main table", "vip")

	// The page has no button for it: what the admin UI's protocol calls emit.
	session := clienttest.Value[string](t, page.Evaluate(`localStorage.getItem("session_id")`))
	peer := driver.Connect(t, clienttest.ClientOptions{URL: p.url, Namespace: "/admin", Auth: map[string]any{"sessionId": session}})
	peer.Emit("emit", "/", "vip", "hello", map[string]any{"n": 1})
	if got := one.Wait("hello", 1); string(got[0][0]) != `{"n":1}` {
		t.Errorf("%s", got)
	}

	goTo("#/rooms/")
	page.WaitText("main table", "vip")
	shoot("rooms")
	one.EmitAck("chatMessage", "from one")
	goTo("#/events/")
	for _, what := range []string{"event received", "event sent", "chatMessage", "reply", "hello", "room joined", "disconnection"} {
		page.WaitText("main table", what)
	}
	shoot("events")
	goTo("#/servers/")
	page.WaitText("main table", "one")
	page.WaitText("main table", "HEALTHY")
	shoot("servers")

	goTo("#/n/%2F/sockets/" + one.ID())
	page.WaitText("main", "Initial HTTP request")
	page.Click(fmt.Sprintf("main tr:has-text(%q):has(button) button", "Status") + " >> nth=1")
	if got := one.WaitDisconnect(); got.Reason != "io server disconnect" {
		t.Errorf("%+v", got)
	}
	goTo("#/clients/")
	page.WaitText("main table", "Address")
	goTo("#/")
	page.WaitText("main", "Bytes")
	shoot("dashboard-later")

	// What the page asks of others for its looks may not be reached from here.
	faults := slices.DeleteFunc(page.Faults(), func(s string) bool { return strings.Contains(s, "net::ERR_") })
	if len(faults) > 0 {
		t.Errorf("the console says %q", faults)
	}
	p.counts(map[string]float64{`fanfare_admin_ui_logins_total{result="password"}`: 1, `fanfare_admin_ui_logins_total{result="refused"}`: 1, `fanfare_admin_ui_logins_total{result="session"}`: 1, "fanfare_admin_ui_admins": 2, "fanfare_panics_total": 0})
	if log := p.log.String(); strings.Contains(log, adminPassword) || strings.Contains(log, session) || strings.Contains(log, "s3cret") {
		t.Errorf("the log has a secret:\n%s", log)
	}
}

// A page from elsewhere, such as admin.socket.io, is let in where --origin has it, over
// WebSocket only; the chat's own authentication does not keep it out.
func TestTheAdminUIFromAnotherOrigin(t *testing.T) {
	notShort(t)
	elsewhere := httptest.NewServer(http.FileServerFS(os.DirFS(adminUIFolder(t))))
	defer elsewhere.Close()
	browser := clienttest.OpenBrowser(t)
	secret := "--auth-secret=" + strings.Repeat("k", 32)
	for origin, welcome := range map[string]bool{elsewhere.URL: true, "https://example.com": false} {
		p := start(t, withAdminUI(t, "--admin-ui=production", secret, "--origin="+origin))
		page := browser.Open(elsewhere.URL, clienttest.PageOptions{Width: 1400, Height: 900})
		page.Evaluate(`localStorage.setItem("ws_only", "true")`)
		page.Evaluate(`location.reload()`)
		page.WaitText("form", "Server URL")
		page.Fill("form input >> nth=0", p.url)
		page.Fill("form input >> nth=1", adminName)
		page.Fill("form input >> nth=2", adminPassword)
		page.Click("form button[type=submit]")
		if welcome {
			page.WaitText("header", "CONNECTED")
			page.WaitText("main table", "/admin")
		} else {
			page.WaitText("form .red--text", "websocket error")
		}
		page.Close()
	}
}

// TestAnAdminInPython has an admin who is no page, and no port of the official client.
func TestAnAdminInPython(t *testing.T) {
	interpreter := "/usr/bin/python3"
	if err := exec.Command(interpreter, "-c", "import socketio, aiohttp").Run(); err != nil {
		clienttest.Unavailable(t, "no python3 that has python3-socketio and python3-aiohttp")
	}
	p := start(t, withAdminUI(t, "--admin-ui=development"))
	var complaints strings.Builder // of its library, too, about sessions that it did not close
	script := exec.Command(interpreter, "testdata/admin.py", p.url, adminName, adminPassword)
	script.Stderr = &complaints
	out, err := script.Output()
	want := `refused: invalid credentials
features: AGGREGATED_EVENTS ALL_EVENTS DISCONNECT EMIT JOIN LEAVE MDISCONNECT MJOIN MLEAVE
numbers: one /,/admin
connected: / own room
joined: vip
received: {'n': 1}
disconnected
`
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s%s", err, out, &complaints)
	}
}

// The namespace, the page and their metrics are there for those who ask for them.
func TestTheAdminUIIsOffUnlessAskedFor(t *testing.T) {
	p := start(t, anywhere())
	driver := clienttest.Start(t)
	_, refusal := driver.TryConnect(t, clienttest.ClientOptions{URL: p.url, Namespace: "/admin", Auth: map[string]any{"username": "admin", "password": "admin"}})
	if refusal == nil || refusal.Message != "Invalid namespace" {
		t.Errorf("%v", refusal)
	}
	get(t, p.url+"/admin/").want(t, 404, "")
	if _, there := metrics(t, p)["fanfare_admin_ui_admins"]; there {
		t.Error("it is counted what is off")
	}
}

func TestABadAdminUISaysWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		flags, advice []string
	}{
		{[]string{"--admin-ui=yes"}, []string{"--admin-ui", "production"}},
		{[]string{"--admin-ui=production"}, []string{"--admin-ui-password-hash", "hash-password"}},
		{[]string{"--admin-ui=production", "--admin-ui-password-hash=s3cret"}, []string{"no bcrypt hash", "hash-password", "quotes"}},
		{[]string{"--admin-ui=production", "--admin-ui-password-hash=$2a$04$" + strings.Repeat("x", 53)}, []string{"cost 4", "10"}},
		{[]string{"--admin-ui=production", "--admin-ui-username=", "--admin-ui-password-hash=x"}, []string{"--admin-ui-username"}},
		{[]string{"--admin-ui-files=page"}, []string{"--admin-ui=production"}},
		{[]string{"--admin-ui=production", "--admin-ui-password-hash=$2a$10$" + strings.Repeat("x", 53), "--admin-ui-files=config"}, []string{"index.html", "ui/dist"}},
	} {
		code, _, log := fail(t, anywhere(tt.flags...))
		requireAdvice(t, code, wrongCommandLine, log, tt.advice...)
		if strings.Contains(log, "s3cret") {
			t.Errorf("%q: the log has the secret", tt.flags)
		}
	}
}

func TestHashPasswordMakesWhatTheLoginTakes(t *testing.T) {
	notShort(t)
	hash, err := hashPassword(t, "correct horse\n")
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^\$2a\$10\$\S{53}\n$`).MatchString(hash) {
		t.Fatalf("%q", hash)
	}
	if err := bcrypt.CompareHashAndPassword([]byte(strings.TrimSpace(hash)), []byte("correct horse")); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "\n", strings.Repeat("x", 73)} {
		if _, err := hashPassword(t, bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if out, err := exec.Command(program, "hash-password", "--cost=4").CombinedOutput(); err == nil || !strings.Contains(string(out), "--cost") {
		t.Errorf("%v: %s", err, out)
	}
}

func hashPassword(t *testing.T, input string) (string, error) {
	t.Helper()
	c := exec.Command(program, "hash-password", "--cost=10")
	c.Stdin, c.Stderr = strings.NewReader(input), io.Discard
	out, err := c.Output()
	return string(out), err
}
