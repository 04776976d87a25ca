package main_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// The parts of the page that tests look at.
const (
	statusText = "#status-text"
	messages   = "#log .message p"
)

// ways are what the page may be asked for, and what it then says of itself.
var ways = []struct{ query, status string }{
	{"/", "Connected over WebSocket"}, // begins with polling
	{"/?transport=websocket", "Connected over WebSocket"},
	{"/?transport=polling", "Connected over long polling"},
}

func TestWhatIsTypedInOneTabIsSeenInBoth(t *testing.T) {
	notShort(t)
	p := start(t, anywhere("--client-files="+clientFolder(t), "--history=off",
		"--ping-interval=5s", "--ping-timeout=10s")) // who goes between two polls is missed by then
	browser := clienttest.OpenBrowser(t)
	for i, way := range ways {
		a := browser.Open(p.url+way.query, clienttest.PageOptions{BlockCDN: true})
		b := a.OpenBeside(p.url + way.query)
		a.WaitText(statusText, way.status)
		b.WaitText(statusText, way.status)

		write(a, "Hello, is anybody there?")
		b.WaitText(messages, "Hello, is anybody there?")
		write(b, "Grüße aus dem zweiten Tab 👋 <b>&amp;</b>")
		for _, tab := range []*clienttest.Page{a, b} {
			tab.WaitText(messages, "zweiten Tab")
			want := []string{"Hello, is anybody there?", "Grüße aus dem zweiten Tab 👋 <b>&amp;</b>"}
			if got := tab.Texts(messages); !slices.Equal(got, want) {
				t.Errorf("%s: the page shows %q, want %q", way.query, got, want)
			}
			requireNoFaults(t, way.query, tab)
		}
		a.Evaluate(`Promise.all(document.getAnimations().map((a) => a.finished)).then(() => 0)`)
		a.Screenshot(artefact(t, fmt.Sprintf("chat-%d.png", i)))
		a.Close()
		b.Close()
	}
	p.counts(map[string]float64{`fanfare_sockets{namespace="/"}`: 0, "fanfare_bad_requests_total": 0, "fanfare_panics_total": 0})
}

// The browser takes whatever connection it has: pages and polls alternate on the
// same ones, from the event loops to net/http and back.
func TestPagesAndPollsShareTheBrowsersConnections(t *testing.T) {
	notShort(t)
	p := start(t, anywhere("--client-files="+clientFolder(t)))
	browser := clienttest.OpenBrowser(t)
	const query = "/?transport=polling"
	tab := browser.Open(p.url+query, clienttest.PageOptions{BlockCDN: true})
	watcher := tab.OpenBeside(p.url + query)
	watcher.WaitText(statusText, "Connected over long polling")
	const reloads, each = 5, 5
	for r := range reloads {
		tab.WaitText(statusText, "Connected over long polling")
		for m := range each {
			write(tab, fmt.Sprintf("reload %d message %d", r, m))
		}
		tab.WaitText(messages, fmt.Sprintf("reload %d message %d", r, each-1))
		tab.Evaluate(`location.reload()`)
		tab.WaitText(messages, fmt.Sprintf("reload %d message %d", r, each-1)) // from the history
		for _, path := range []string{"/", "/nothing", "/socket.io/socket.io.min.js"} {
			watcher.Evaluate(fmt.Sprintf(`fetch(%q, {cache: "no-store"}).then((r) => r.text()).then(() => 0)`, path))
		}
	}
	watcher.WaitText(messages, fmt.Sprintf("reload %d message %d", reloads-1, each-1))
	if n := len(watcher.Texts(messages)); n != reloads*each {
		t.Errorf("the other tab shows %d messages, want %d", n, reloads*each)
	}
	requireNoFaults(t, "the tab", tab)
	reused := metrics(t, p)
	if reused["fanfare_requests_total"] < 2*reused["fanfare_accepted_total"] {
		t.Logf("little reuse: %v requests on %v connections", reused["fanfare_requests_total"], reused["fanfare_accepted_total"])
	}
	p.counts(map[string]float64{"fanfare_bad_requests_total": 0, "fanfare_panics_total": 0})
}

func TestPagesReturnToARestartedServer(t *testing.T) {
	notShort(t)
	c := command{args: []string{"--port=" + freePort(t), "--admin=127.0.0.1:0", "--client-files=" + clientFolder(t)}}
	p := start(t, c)
	browser := clienttest.OpenBrowser(t)
	var tabs []*clienttest.Page
	for _, way := range ways {
		tab := browser.Open(p.url+way.query, clienttest.PageOptions{BlockCDN: true})
		tab.WaitText(statusText, way.status)
		tab.Evaluate(remember)
		tabs = append(tabs, tab)
	}
	p.stop(syscall.SIGTERM)
	for i, tab := range tabs {
		requireCleanLoss(t, ways[i].query, tab)
	}
	tabs[0].Screenshot(artefact(t, "chat-gone.png"))

	start(t, c)
	for i, tab := range tabs {
		tab.WaitText(statusText, ways[i].status)
	}
	write(tabs[0], "back again")
	for _, tab := range tabs {
		tab.WaitText(messages, "back again")
	}
}

// remember keeps every status that the page shows: the first word on a lost
// connection may be gone before anybody looks.
const remember = `(() => {
	const e = document.querySelector("#status-text");
	window.statuses = [];
	new MutationObserver(() => statuses.push(e.textContent)).observe(e, { childList: true, characterData: true, subtree: true });
})()`

// requireCleanLoss waits for the page's word on a lost connection.
func requireCleanLoss(t *testing.T, name string, p *clienttest.Page) {
	t.Helper()
	var shown []string
	eventually(t, func() error {
		shown = clienttest.Value[[]string](t, p.Evaluate("statuses"))
		shown = slices.DeleteFunc(shown, func(s string) bool { return strings.HasPrefix(s, "Connected over") }) // said twice, the second time late
		if len(shown) == 0 {
			return errors.New("the page notices nothing")
		}
		return nil
	})
	want := []string{"Connection lost (transport close). Reconnecting…"}
	if strings.HasSuffix(name, "=polling") { // between two polls there is no connection to be closed
		want = append(want, "Connection lost (transport error). Reconnecting…")
	}
	if !slices.Contains(want, shown[0]) {
		t.Errorf("%s: the page says %q, want %q", name, shown, want)
	}
}

// write types a message and sends it with the Enter key.
func write(p *clienttest.Page, text string) {
	p.Fill("#message", text)
	p.Press("#message", "Enter")
}

func requireNoFaults(t *testing.T, name string, p *clienttest.Page) {
	t.Helper()
	if faults := p.Faults(); len(faults) > 0 {
		t.Errorf("%s: the console says %q", name, faults)
	}
}

// artefact is where a picture goes: FANFARE_ARTEFACTS keeps it beyond the test.
func artefact(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("FANFARE_ARTEFACTS")
	if folder == "" {
		folder = t.TempDir()
	}
	return filepath.Join(folder, name)
}
