package clienttest

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// Browser is a headless Chromium. Its methods are called on the goroutine of the test.
type Browser struct {
	t       testing.TB
	process *process
}

// OpenBrowser starts a headless Chromium that ends with the test. The environment variable CHROMIUM may name the
// program. Without Chromium, Node or its packages the test is skipped.
func OpenBrowser(t testing.TB) *Browser {
	t.Helper()
	if !hasChromium() {
		Unavailable(t, "no Chromium found: install it (Debian: apt-get install chromium), or name it in CHROMIUM")
	}
	return &Browser{t: t, process: startNode(t, "browser.mjs")}
}

func hasChromium() bool {
	if os.Getenv("CHROMIUM") != "" {
		return true
	}
	for _, name := range []string{"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}

// PageOptions say how a page is looked at. The zero value is a light page of 1000 x 720 pixels.
type PageOptions struct {
	Width, Height int  // CSS pixels; default 1000 x 720
	Dark          bool // prefers-color-scheme: dark
	Phone         bool // touch, and two device pixels to one of CSS
	BlockCDN      bool // Socket.IO's CDN does not answer; otherwise the npm package answers for it
}

func (o PageOptions) fields() map[string]any {
	if o.Width == 0 {
		o.Width = 1000
	}
	if o.Height == 0 {
		o.Height = 720
	}
	options := map[string]any{"viewport": map[string]int{"width": o.Width, "height": o.Height}, "colorScheme": "light"}
	if o.Dark {
		options["colorScheme"] = "dark"
	}
	if o.Phone {
		options["hasTouch"], options["isMobile"], options["deviceScaleFactor"] = true, true, 2
	}
	fields := map[string]any{"options": options}
	if o.BlockCDN {
		fields["cdn"] = "blocked"
	}
	return fields
}

// Page is one tab.
type Page struct {
	browser *Browser
	number  int
}

// Open loads a URL in a new tab with a profile of its own.
func (b *Browser) Open(url string, o PageOptions) *Page {
	b.t.Helper()
	fields := o.fields()
	fields["url"] = url
	return b.open(fields)
}

// OpenBeside loads a URL in another tab of the same profile.
func (p *Page) OpenBeside(url string) *Page {
	p.browser.t.Helper()
	return p.browser.open(map[string]any{"url": url, "beside": p.number})
}

func (b *Browser) open(fields map[string]any) *Page {
	b.t.Helper()
	p := &Page{browser: b}
	b.ask(&p.number, "open", fields)
	return p
}

// Fill puts text into an input.
func (p *Page) Fill(selector, text string) {
	p.browser.t.Helper()
	p.ask(nil, "fill", map[string]any{"selector": selector, "text": text})
}

// Press presses a key, by its name in KeyboardEvent.key, while the element has the focus.
func (p *Page) Press(selector, key string) {
	p.browser.t.Helper()
	p.ask(nil, "press", map[string]any{"selector": selector, "key": key})
}

// Key presses a key, by its name in KeyboardEvent.key, wherever the focus is.
func (p *Page) Key(key string) {
	p.browser.t.Helper()
	p.ask(nil, "key", map[string]any{"key": key})
}

// Aria returns what screen readers are told of an element, in the notation of Playwright's aria snapshots.
func (p *Page) Aria(selector string) string {
	p.browser.t.Helper()
	var snapshot string
	p.ask(&snapshot, "aria", map[string]any{"selector": selector})
	return snapshot
}

// Reload loads the page anew.
func (p *Page) Reload() {
	p.browser.t.Helper()
	p.ask(nil, "reload", nil)
}

// Click clicks on an element.
func (p *Page) Click(selector string) {
	p.browser.t.Helper()
	p.ask(nil, "click", map[string]any{"selector": selector})
}

// WaitText waits until an element of that selector is visible and contains the text.
func (p *Page) WaitText(selector, text string) {
	p.browser.t.Helper()
	p.ask(nil, "waitText", map[string]any{"selector": selector, "text": text})
}

// Texts returns the visible text of every element of that selector.
func (p *Page) Texts(selector string) []string {
	p.browser.t.Helper()
	var texts []string
	p.ask(&texts, "texts", map[string]any{"selector": selector})
	return texts
}

// Evaluate runs a JavaScript expression in the page and returns its value as JSON.
func (p *Page) Evaluate(expression string) json.RawMessage {
	p.browser.t.Helper()
	var value json.RawMessage
	p.ask(&value, "evaluate", map[string]any{"expression": expression})
	return value
}

// Faults returns the errors that the page wrote to the console or did not catch.
func (p *Page) Faults() []string {
	p.browser.t.Helper()
	var faults []string
	p.ask(&faults, "faults", nil)
	return faults
}

// Screenshot writes a PNG of what is visible to a path.
func (p *Page) Screenshot(path string) {
	p.browser.t.Helper()
	p.ask(nil, "screenshot", map[string]any{"path": path})
}

// Close closes the tab.
func (p *Page) Close() {
	p.browser.t.Helper()
	p.ask(nil, "close", nil)
}

func (p *Page) ask(result any, cmd string, fields map[string]any) {
	p.browser.t.Helper()
	all := map[string]any{"p": p.number}
	for key, value := range fields {
		all[key] = value
	}
	p.browser.ask(result, cmd, all)
}

func (b *Browser) ask(result any, cmd string, fields map[string]any) {
	b.t.Helper()
	b.process.ask(b.t, result, cmd, fields)
}
