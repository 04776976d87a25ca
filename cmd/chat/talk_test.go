package main_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// The page in the hands of two people: Ada has a desk, Bob a phone.

var (
	desk  = clienttest.PageOptions{Width: 1280, Height: 800, BlockCDN: true}
	phone = clienttest.PageOptions{Width: 390, Height: 780, Phone: true, Dark: true, BlockCDN: true}
)

// visit opens the page under a name.
func visit(browser *clienttest.Browser, url, name string, o clienttest.PageOptions) *clienttest.Page {
	p := browser.Open(url, o)
	p.WaitText(statusText, "Connected over WebSocket")
	if o.Phone {
		p.Click("#open-rooms")
	}
	p.Fill("#name", name)
	p.Press("#name", "Enter") // closes the drawer
	if !o.Phone {             // there it is in the other drawer
		p.WaitText("#people", name)
	}
	return p
}

// enter joins a room as people do.
func enter(p *clienttest.Page, room string, o clienttest.PageOptions) {
	if o.Phone {
		p.Click("#open-rooms")
	}
	p.Fill("#room-name", room)
	p.Press("#room-name", "Enter")
	p.WaitText("#room-title", room)
}

// still waits until nothing moves, for pictures.
func still(p *clienttest.Page) {
	p.Evaluate(`Promise.all(document.getAnimations().filter((a) => a.effect.getTiming().iterations === 1).map((a) => a.finished)).then(() => 0)`)
}

// TestTwoPeopleInTwoRooms is the chat from end to end: rooms, presence, typing, history after a reload and on the way up,
// and a server that is killed and started again on the same port with the same file.
func TestTwoPeopleInTwoRooms(t *testing.T) {
	notShort(t)
	c := command{args: []string{
		"--port=" + freePort(t), "--admin=127.0.0.1:0", "--client-files=" + clientFolder(t),
		"--history=" + filepath.Join(t.TempDir(), "history.db"),
	}}
	p := start(t, c)
	browser := clienttest.OpenBrowser(t)
	ada, bob := visit(browser, p.url, "Ada", desk), visit(browser, p.url, "Bob", phone)
	ada.WaitText("#people", "Bob")
	write(ada, "hello lobby")
	bob.WaitText(messages, "hello lobby")

	enter(ada, "tea kitchen", desk)
	enter(bob, "tea kitchen", phone)
	ada.WaitText("#people-number", "2")
	bob.WaitText("#people-count", "2")
	ada.Fill("#message", "the kettle")
	bob.WaitText("#typing", "Ada is writing…")
	write(ada, "the kettle is on")
	bob.WaitText(messages, "the kettle is on")
	bob.WaitText("#typing:empty", "") // who has said it writes no more
	write(bob, "coming")
	ada.WaitText(messages, "coming")
	ada.WaitText("#log .mine .state", "✓✓") // stored
	bob.Screenshot(artefact(t, "talk-phone.png"))

	// A third writes in the lobby, which is unread in both pages.
	third := dialWebSocket(t, p.url)
	for i := range 120 {
		third.emit("chatMessage", fmt.Sprintf("number %d", i))
	}
	third.expect(`42["reply","number 119"`)
	ada.WaitText("#rooms .unread", "99+")
	bob.WaitText("#elsewhere", "99+")
	bob.Click("#open-rooms")
	still(bob)
	bob.Screenshot(artefact(t, "talk-drawer.png"))
	bob.Key("Escape")

	ada.Reload()
	ada.WaitText("#room-title", "tea kitchen") // by its address
	ada.WaitText(messages, "coming")
	if got := ada.Texts(messages); !slices.Equal(got, []string{"the kettle is on", "coming"}) {
		t.Errorf("after the reload Ada reads %q", got)
	}
	ada.WaitText("#log .mine p", "the kettle is on")
	ada.WaitText("#people", "Ada (you)")
	requireNoFaults(t, "Ada", ada)
	requireNoFaults(t, "Bob", bob)
	requireScrollingBack(t, ada)
	still(ada)
	ada.Screenshot(artefact(t, "talk-desk.png"))
	ada.Click(`#rooms a[href="#tea%20kitchen"]`)
	ada.WaitText("#room-title", "tea kitchen")
	requireRestart(t, c, p, ada, bob)
}

// requireScrollingBack reads the lobby up to its beginning; what the reader sees does not move when more is put above.
func requireScrollingBack(t *testing.T, p *clienttest.Page) {
	t.Helper()
	p.Click(`#rooms a[href="#"]`)
	p.WaitText(messages, "number 119")
	for _, earlier := range []string{"number 30", "hello lobby"} {
		p.Evaluate(`(() => { const top = document.querySelector("#log .message"); window.top0 = top; window.scroller = document.querySelector("#scroller");
			scroller.scrollTop = 60; window.place0 = top.getBoundingClientRect().top; })()`)
		p.WaitText(messages, earlier)
		if moved := clienttest.Value[float64](t, p.Evaluate(`Math.abs(top0.getBoundingClientRect().top - place0)`)); moved > 30 { // a line that marks the day goes away
			t.Errorf("what was on top moved by %v pixels when %q came", moved, earlier)
		}
	}
	p.WaitText("#beginning", "began")
	all := p.Texts(messages)
	if len(all) != 121 || all[0] != "hello lobby" || all[1] != "number 0" || all[120] != "number 119" {
		t.Errorf("%d messages, from %q to %q", len(all), all[0], all[len(all)-1])
	}
}

// requireRestart kills the server. What is written meanwhile is sent when it is back, and both read everything once.
func requireRestart(t *testing.T, c command, p *process, ada, bob *clienttest.Page) {
	t.Helper()
	p.signal(syscall.SIGKILL)
	p.wait()
	for _, page := range []*clienttest.Page{ada, bob} {
		page.WaitText("#status[data-state=reconnecting]", "…")
	}
	write(ada, "are you there?")
	ada.WaitText("#outbox", "waiting for a connection…")
	still(ada)
	ada.Screenshot(artefact(t, "talk-reconnecting.png"))

	again := start(t, c)
	quick := dialWebSocket(t, again.url)
	quick.send(`421["join","tea kitchen"]`)
	quick.expect(`431`)
	quick.send(`422["chatMessage",{"text":"I was first","room":"tea kitchen"}]`)
	quick.expect(`432[{"id"`)
	for _, page := range []*clienttest.Page{ada, bob} {
		page.WaitText(statusText, "Connected over WebSocket")
		page.WaitText(messages, "are you there?")
	}
	write(bob, "I am")
	ada.WaitText(messages, "I am")
	want := []string{"the kettle is on", "coming", "I was first", "are you there?", "I am"}
	for name, page := range map[string]*clienttest.Page{"Ada": ada, "Bob": bob} {
		page.WaitText(messages, "I am")
		got := page.Texts(messages)
		if !sameInAnyOrder(got, want) || got[0] != want[0] || got[len(got)-1] != "I am" {
			t.Errorf("%s reads %q, want %q", name, got, want)
		}
		if left := page.Texts("#outbox li"); len(left) > 0 {
			t.Errorf("%s: on its way is %q", name, left)
		}
		for _, fault := range page.Faults() { // while the server was gone
			if !strings.Contains(fault, "net::ERR_") {
				t.Errorf("%s: the console says %q", name, fault)
			}
		}
	}
	ada.WaitText("#people", "Bob")
}

func sameInAnyOrder(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// TestThePageSaysWhatItHasMissed cuts the connection, and not the server: the socket is recovered.
func TestThePageSaysWhatItHasMissed(t *testing.T) {
	notShort(t)
	p := start(t, anywhere("--client-files="+clientFolder(t)))
	wire := newCable(t, p.url)
	browser := clienttest.OpenBrowser(t)
	ada := visit(browser, wire.url+"/?transport=websocket", "Ada", desk)
	enter(ada, "tea", desk)
	write(ada, "zero") // a client that was sent nothing has nothing to go by
	ada.WaitText("#log .state", "✓✓")
	wire.cut()
	ada.WaitText("#status[data-state=reconnecting]", "…")
	bob := dialWebSocket(t, p.url)
	bob.send(`421["join","tea"]`)
	bob.expect(`431`)
	bob.send(`422["chatMessage",{"text":"one","room":"tea"}]`)
	bob.expect(`432`)
	bob.emit("chatMessage", "two")
	bob.expect(`42["reply","two"`)
	wire.mend()
	ada.WaitText(statusText, "recovered, 2 missed messages")
	if got := ada.Texts(messages); !slices.Equal(got, []string{"zero", "one"}) {
		t.Errorf("the room reads %q", got)
	}
	ada.WaitText("#rooms .unread", "1")
	still(ada)
	ada.Screenshot(artefact(t, "talk-recovered.png"))
}

// TestAPageTalksToAnotherServerThatIsAllowed serves the page on one port and chats on another.
func TestAPageTalksToAnotherServerThatIsAllowed(t *testing.T) {
	notShort(t)
	far := start(t, anywhere())
	files := "--client-files=" + clientFolder(t)
	near := start(t, anywhere(files, "--page-server="+far.url))
	browser := clienttest.OpenBrowser(t)
	one := browser.Open(near.url+"/?server="+far.url, desk)
	one.WaitText(statusText, "Connected over WebSocket")
	other := dialWebSocket(t, far.url)
	write(one, "over there")
	other.expect(`42["reply","over there"`)
	requireNoFaults(t, "the page", one)

	strange := browser.Open(near.url+"/?server=http://127.0.0.1:9", desk)
	strange.WaitText("#notice", "This page may not talk to http://127.0.0.1:9.")
}
