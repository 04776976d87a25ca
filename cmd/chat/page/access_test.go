package page_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// focused says what has the focus: its id, or what it is called.
const focused = `(() => { const e = document.activeElement; return e.id || e.ariaLabel || e.textContent.trim(); })()`

func TestTheKeyboardAloneIsEnough(t *testing.T) {
	notShort(t)
	browser := clienttest.OpenBrowser(t)
	url, stop := openChat(t, "127.0.0.1:0")
	t.Cleanup(stop)
	p := browser.Open(url, clienttest.PageOptions{Width: 1280})
	p.WaitText("#people-number", "1")
	var order []string
	for range 11 { // from the message box, which has the focus, once around
		p.Key("Tab")
		// Where the page ends, the focus is the browser's own for one step.
		if clienttest.Value[bool](t, p.Evaluate(`document.activeElement === document.body`)) {
			continue
		}
		order = append(order, clienttest.Value[string](t, p.Evaluate(focused)))
		if outline := clienttest.Value[string](t, p.Evaluate(`getComputedStyle(document.activeElement).outlineStyle`)); outline == "none" {
			t.Errorf("nothing shows that %q has the focus", order[len(order)-1])
		}
	}
	want := []string{"Send", "people", "skip", "Lobby", "room-name", "Join", "name", "Save", "scroller", "message", "Send"}
	if len(order) < len(want)-1 || !slices.Equal(order, want[:len(order)]) {
		t.Errorf("the Tab key goes to %q, want %q", order, want)
	}
	requireNoFaults(t, p)
}

func TestDrawersOfANarrowScreenByKeyboard(t *testing.T) {
	notShort(t)
	browser := clienttest.OpenBrowser(t)
	url, stop := openChat(t, "127.0.0.1:0")
	t.Cleanup(stop)
	p := browser.Open(url+"/#tea", clienttest.PageOptions{Width: 320, Height: 640})
	p.WaitText("#people-count", "1")
	p.Press("#open-rooms", "Enter")
	p.WaitText("#rooms [aria-current]:focus", "tea")
	p.Key("ArrowUp")
	p.WaitText("#rooms a:focus", "Lobby")
	p.Key("Enter")
	p.WaitText("#room-title", "Lobby")
	for _, step := range []struct{ key, focus string }{{"", "message"}, {"Shift+Tab", "scroller"}, {"Shift+Tab", "open-people"}, {"Enter", "Close the list of people"}, {"Escape", "open-people"}} {
		if step.key != "" {
			p.Key(step.key)
		}
		if got := clienttest.Value[string](t, p.Evaluate(focused)); got != step.focus {
			t.Errorf("after %q the focus is at %q, want %q", step.key, got, step.focus)
		}
	}
	if wide := clienttest.Value[int](t, p.Evaluate(`document.documentElement.scrollWidth`)); wide > 320 {
		t.Errorf("a screen of 320 pixels is too narrow: the page has %d", wide)
	}
	p.Click("#open-rooms")
	p.WaitText("#rooms a", "tea")
	small := clienttest.Value[[]string](t, p.Evaluate(`[...document.querySelectorAll("button, input, textarea, #rooms a")]
		.filter((e) => e.checkVisibility({ visibilityProperty: true }))
		.filter((e) => e.offsetWidth < 44 || e.offsetHeight < 44).map((e) => (e.id || e.ariaLabel || e.textContent.trim()) + " " + e.offsetWidth + "x" + e.offsetHeight)`))
	if len(small) > 0 {
		t.Errorf("too small to be touched: %q", small)
	}
	requireNoFaults(t, p)
}

func TestScreenReadersAreToldWhatIsThere(t *testing.T) {
	notShort(t)
	browser := clienttest.OpenBrowser(t)
	url, stop := openChat(t, "127.0.0.1:0")
	t.Cleanup(stop)
	p := browser.Open(url, clienttest.PageOptions{Width: 1280})
	p.WaitText("#people-number", "1")
	say(p, "hello")
	p.WaitText("#log .mine .state", "✓✓")
	tree := p.Aria("body")
	for _, want := range []string{
		`- navigation "Rooms":`, `- heading "Fanfare chat" [level=1]`, `- link "Lobby":`, `- textbox "Join or open a room"`, `- button "Join"`,
		`- textbox "Your name"`, `- heading "Lobby" [level=2]`, `- status: Connected over WebSocket`, `- main "Conversation":`,
		`- log "Messages":`, `- text: "You:"`, `- paragraph: hello`, `- img "Sent and stored"`, `- textbox "Message to the lobby"`, `- button "Send"`,
		`- complementary "People":`, `- heading "People 1" [level=2]`, `- list "People in this room":`,
	} {
		if !strings.Contains(tree, want) {
			t.Errorf("no %s in\n%s", want, tree)
		}
	}
}

// contrasts returns the text whose contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3).
const contrasts = `(() => {
	const light = (c) => { const v = c / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
	const parse = (s) => s.match(/[\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
	const ground = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
	const bad = [];
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility({ visibilityProperty: true }) || e.matches(".unseen, .skip, noscript")) continue;
		const [a, b] = [luminance(parse(getComputedStyle(e).color)), luminance(ground(e))].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < 4.5) bad.push(e.tagName + "." + e.className + " " + e.textContent.trim().slice(0, 20) + " " + ratio.toFixed(2));
	}
	return bad;
})()`

func TestTextIsReadInTheLightAndInTheDark(t *testing.T) {
	notShort(t)
	browser := clienttest.OpenBrowser(t)
	url, stop := openChat(t, "127.0.0.1:0")
	t.Cleanup(stop)
	for _, dark := range []bool{false, true} {
		p := browser.Open(url, clienttest.PageOptions{Width: 1280, Dark: dark})
		q := p.OpenBeside(url)
		q.WaitText("#people-number", "2")
		p.WaitText("#people-number", "2")
		say(q, "from the other tab")
		say(p, "from this one")
		p.WaitText("#log .mine .state", "✓✓")
		p.WaitText("#log .message:not(.mine)", "from the other tab")
		if bad := clienttest.Value[[]string](t, p.Evaluate(contrasts)); len(bad) > 0 {
			t.Errorf("dark %v: hard to read: %q", dark, bad)
		}
		q.Close()
		p.Close()
	}
}
