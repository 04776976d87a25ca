package main_test

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// snippet is a page as Socket.IO's documentation writes it, of somebody who has
// nothing to do with the program but its URL.
var snippet = template.Must(template.New("").Parse(`<!doctype html>
<title>Somebody else's page</title>
<link rel="icon" href="data:,">
<ul id="messages"></ul>
<p id="state"></p>
{{if .Script}}<script src="{{.Script}}"></script>{{else}}
<script src="https://cdn.socket.io/4.8.1/socket.io.min.js" integrity="sha384-mkQ3/7FUtcGyoppY6bz/PORYoGqOl7/aSUMn2ymDOJcapfS6PHqxhRTMh1RR0Q6+" crossorigin="anonymous"></script>{{end}}
<script>
  const socket = io({{.URL}}{{if .Transports}}, { transports: {{.Transports}} }{{end}});
  const add = (list, text) => list.appendChild(document.createElement("li")).textContent = text;
  socket.on("reply", (text) => add(document.getElementById("messages"), text));
  socket.on("connect", () => document.getElementById("state").textContent = "connected");
  socket.on("connect_error", (error) => document.getElementById("state").textContent = error.message);
  socket.emit("chatMessage", {{.Says}});
</script>
`))

// visitor is what one page of another origin does.
type visitor struct {
	Script     string   // where it has the client from; the CDN by default
	URL        string   // of the program
	Transports []string // the client's default when empty
	Says       string
}

// hosted serves the page on an origin of its own until the test ends.
func hosted(t *testing.T, v *visitor) (origin string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = snippet.Execute(w, v)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestAPageOfAnotherOriginChatsWithOurs(t *testing.T) {
	notShort(t)
	p := start(t, anywhere("--client-files="+clientFolder(t)))
	browser := clienttest.OpenBrowser(t)
	ours := browser.Open(p.url+"/", clienttest.PageOptions{})
	ours.WaitText(statusText, "Connected over WebSocket")
	node := clienttest.Start(t).Connect(t, clienttest.ClientOptions{URL: p.url})
	for _, v := range []*visitor{
		{Says: "with the default transports, from the CDN"},
		{Says: "with the default transports, from the program", Script: p.url + "/socket.io/socket.io.min.js"},
		{Says: "over WebSocket only", Transports: clienttest.WebSocket},
		{Says: "over polling only", Transports: clienttest.Polling},
	} {
		v.URL = p.url
		theirs := browser.Open(hosted(t, v), clienttest.PageOptions{})
		theirs.WaitText("#messages li", v.Says)
		ours.WaitText(messages, v.Says)
		requireReply(t, node, v.Says)

		write(ours, "answer to "+v.Says)
		theirs.WaitText("#messages li", "answer to "+v.Says)
		requireReply(t, node, "answer to "+v.Says)
		node.Emit("chatMessage", "Node says hello to "+v.Says)
		requireReply(t, node, "Node says hello to "+v.Says)
		theirs.WaitText("#messages li", "Node says hello to "+v.Says)
		requireNoFaults(t, v.Says, theirs)
		theirs.Close()
	}
	requireNoFaults(t, "our page", ours)
}

func TestOnlyTheOriginsThatAreNamedMayConnect(t *testing.T) {
	notShort(t)
	browser := clienttest.OpenBrowser(t)
	for _, transports := range [][]string{nil, clienttest.WebSocket} { // nil begins with polling
		friend, stranger := &visitor{Transports: transports, Says: "a friend"}, &visitor{Transports: transports, Says: "a stranger"}
		origin := hosted(t, friend)
		p := start(t, anywhere("--origin="+origin))
		friend.URL, stranger.URL = p.url, p.url

		kept := browser.Open(hosted(t, stranger), clienttest.PageOptions{})
		kept.WaitText("#state", "error")
		if len(kept.Faults()) == 0 {
			t.Errorf("%v: the browser does not say that it blocked the page", transports)
		}
		ours := browser.Open(p.url+"/", clienttest.PageOptions{}) // needs no permission
		ours.WaitText(statusText, "Connected over WebSocket")
		theirs := browser.Open(origin, clienttest.PageOptions{})
		theirs.WaitText("#messages li", "a friend")
		ours.WaitText(messages, "a friend")
		write(ours, "welcome")
		theirs.WaitText("#messages li", "welcome")
		requireNoFaults(t, "the friend", theirs)
		requireNoFaults(t, "our page", ours)

		if got := ours.Texts(messages); !slices.Equal(got, []string{"a friend", "welcome"}) {
			t.Errorf("%v: our page shows %q, want no word of a stranger", transports, got)
		}
		if connected := string(kept.Evaluate("socket.connected")); connected != "false" {
			t.Errorf("%v: the stranger is connected: %s", transports, connected)
		}
		for _, page := range []*clienttest.Page{kept, ours, theirs} {
			page.Close()
		}
	}
}

// What is not a browser sends no Origin, and is not what origins are about.
func TestNodeClientsNeedNoOrigin(t *testing.T) {
	p := start(t, anywhere("--origin=https://example.com"))
	driver := clienttest.Start(t)
	for _, transports := range [][]string{clienttest.Polling, clienttest.WebSocket, clienttest.Upgrade} {
		c := driver.Connect(t, clienttest.ClientOptions{URL: p.url, Transports: transports})
		c.Emit("chatMessage", "hello")
		requireReply(t, c, "hello")
		c.Disconnect()
	}
	o := clienttest.ClientOptions{URL: p.url, Transports: clienttest.WebSocket}
	o.Headers = map[string]string{"Origin": "https://example.org"}
	if _, refusal := driver.TryConnect(t, o); refusal == nil {
		t.Error("a WebSocket of a foreign origin was let in")
	}
	o.Headers["Origin"] = "https://example.com"
	driver.Connect(t, o)
}

func requireReply(t *testing.T, c *clienttest.Client, want string) {
	t.Helper()
	if got := clienttest.Value[string](t, c.Wait("reply", 1)[0][0]); got != want {
		t.Fatalf("Node received %q, want %q", got, want)
	}
}
