package engine_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine"
)

func TestJSONPFact(t *testing.T) {
	f := startFacts(t, engine.Options{})
	f.fact(t, "Fact26 JSONP for those who ask for it with j", fact26)
}

var callForm = regexp.MustCompile(`^___eio\[(\d*)\]\((".*")\);$`)

// called returns the string that a script calls the callback of that index with.
func called(t *testing.T, index string, r response) (s string) {
	t.Helper()
	m := callForm.FindStringSubmatch(r.body)
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != plain || m == nil || m[1] != index {
		t.Fatalf("%s %v: %s", r.Status, r.Header, r.body)
	}
	if err := json.Unmarshal([]byte(m[2]), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

const formType = "Content-Type: application/x-www-form-urlencoded"

func fact26(t *testing.T, f *fixture) {
	for j, index := range map[string]string{"3": "3", "a1%2Db2": "12", "": "", "alert(1)": "1", strings.Repeat("9", 50): strings.Repeat("9", 20)} {
		c := f.dial()
		o := parseOpen(t, called(t, index, c.do("GET", pollURL+"&j="+j, "")))
		target := pollURL + "&j=" + j + "&sid=" + o.SID
		r := f.session(o.SID)
		payload := "4first\nline \u2028\u2029<&+%\x1e4second \\n\x1ebAQID"
		r.send("first\u2028\u2029\"\\\n")
		if got := called(t, index, c.do("GET", target, "")); got != "4first\u2028\u2029\"\\\n" {
			t.Errorf("polled %q", got)
		}
		sent := strings.ReplaceAll(strings.ReplaceAll(payload, `\n`, `\\n`), "\n", `\n`)
		if got := c.do("POST", target, "d="+url.QueryEscape(sent), formType); got.body != "ok" || got.Header.Get("Content-Type") != "text/html" {
			t.Errorf("POST: %s %v %q", got.Status, got.Header, got.body)
		}
		for _, want := range []string{"first\nline \u2028\u2029<&+%", `second \n`} {
			if got := receive(t, r.texts); got != want {
				t.Errorf("received %q, want %q", got, want)
			}
		}
		if got := receive(t, r.binaries); string(got) != "\x01\x02\x03" {
			t.Errorf("received %q", got)
		}
		for _, nothing := range []string{"", "e=4x", "d=4x&d=4y"} { // Node takes d where it is one string
			if got := c.do("POST", target, nothing, formType); got.body != "ok" {
				t.Errorf("POST %q: %s %q", nothing, got.Status, got.body)
			}
		}
		c.request("GET", target, "")
		until(t, "the poll is held", func() bool { return r.s.PollState().Get })
		r.s.Close()
		if got := called(t, index, c.read("GET")); got != "1" {
			t.Errorf("the end: %q", got)
		}
		if len(r.texts) > 0 {
			t.Errorf("received %q too", <-r.texts)
		}
	}
	bad := f.poller()
	if got := bad.post.do("POST", bad.url+"&j=0", "d=%zz", formType); got.body != "ok" {
		t.Errorf("%s %q", got.Status, got.body)
	}
	bad.r.ended(t, engine.ReasonParseError)
	c := f.dial()
	c.request("GET", "/socket.io/?EIO=4&transport=polling&j=1&sid="+unknownSID, "") // errors are no scripts
	c.expect(codeError(1, "Session ID unknown"))
	if r := c.do("GET", pollURL+"&j=1&j=2", ""); !strings.HasPrefix(r.body, "0{") {
		t.Errorf("j twice: %q", r.body)
	}
}

// A form may come in any two parts.
func TestAJSONPFormInParts(t *testing.T) {
	const form = "x=1&d=4a%0Ab%1E4c%5Cnd&y=%7A"
	k := startFake(t, 1, engine.Options{})
	c, r := k.openPolling(0)
	for i := range len(form) + 1 {
		c.deliver(requestText("POST", pollURL+"&j=0&sid="+r.s.ID(), fmt.Sprintf("Content-Length: %d\r\n", len(form)), form[:i]))
		if i < len(form) {
			c.deliver([]byte(form[i:]))
		}
		if got := c.response(t); got != "ok" {
			t.Fatalf("cut at %d: %q", i, got)
		}
		if a, b := receive(t, r.texts), receive(t, r.texts); a != "a\nb" || b != "c\nd" {
			t.Fatalf("cut at %d: %q, %q", i, a, b)
		}
	}
}

// A script tells no Origin, and can be read by the page that asked for it. Where the
// browser says that this is another site's, it is refused as its WebSocket would be.
func TestJSONPOfOtherSites(t *testing.T) {
	f := startFacts(t, engine.Options{})
	for site, status := range map[string]int{"same-origin": 200, "none": 200, "same-site": 403, "cross-site": 403, "": 200} {
		header := "X-No: site"
		if site != "" {
			header = "Sec-Fetch-Site: " + site
		}
		r := f.dial().do("GET", pollURL+"&j=0", "", header)
		if r.StatusCode != status {
			t.Errorf("%q: %s", site, r.Status)
		}
	}
	if r := f.dial().do("GET", pollURL, "", "Sec-Fetch-Site: cross-site"); r.StatusCode != 200 { // a poll, which the browser keeps from the page
		t.Errorf("no script: %s", r.Status)
	}
	everybody := startFacts(t, engine.Options{CORS: engine.CORS{Origins: []string{"*"}}})
	called(t, "0", everybody.dial().do("GET", pollURL+"&j=0", "", "Sec-Fetch-Site: cross-site"))
}

func TestNoJSONP(t *testing.T) {
	f := startFacts(t, engine.Options{NoJSONP: true})
	c := f.dial()
	o := parseOpen(t, c.do("GET", pollURL+"&j=0", "").body)
	if r := c.do("POST", pollURL+"&j=0&sid="+o.SID, "4plain"); r.body != "ok" {
		t.Errorf("%s", r.body)
	}
	if got := receive(t, f.session(o.SID).texts); got != "plain" {
		t.Errorf("received %q", got)
	}
}
