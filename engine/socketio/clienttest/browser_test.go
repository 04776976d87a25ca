package clienttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// emptyPage is where the tests of a browser begin.
func emptyPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = fmt.Fprint(w, `<!doctype html><link rel=icon href="data:,">`)
}

// clientFile is a client as pages load it.
type clientFile struct{ name, path string }

var (
	files = []clientFile{
		{clienttest.V48, "4.8.0/socket.io.min.js"},
		{clienttest.V45, "4.5.0/socket.io.min.js"},
		{clienttest.V40, "4.0.0/socket.io.min.js"},
		{clienttest.V31, "3.1.0/socket.io.min.js"},
		{clienttest.V25, "2.5.0/socket.io.js"},
	}
	msgpackFiles = []clientFile{{clienttest.V48 + " with msgpack", "4.8.0/socket.io.msgpack.min.js"}}
)

// travelled is how a client in a page came.
type travelled struct {
	Transport  string
	Extensions string // of the WebSocket
	Secure     bool   // says the server
	Protocol   int    // says the server
	HTTP       string // protocol of polling, by its name in ALPN
	Compressed bool   // whether an answer of polling was
}

// TestABrowserThroughEveryDoor is the matrix in Chromium, which speaks HTTP/2 where it is offered, and compresses both
// ways: permessage-deflate, and gzip for polling.
func TestABrowserThroughEveryDoor(t *testing.T) {
	browser := clienttest.OpenBrowser(t)
	script, err := os.ReadFile(filepath.Join("testdata", "browser", "journey.js"))
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range fewer([]door{ownDoor, tlsDoor, http2Door, compressedDoor, deflatedHTTPS}) {
		t.Run(d.String(), func(t *testing.T) {
			options := houseOptions{door: d, handler: http.HandlerFunc(emptyPage)}
			visitFromBrowser(t, browser, openHouse(t, options), string(script), i, files)
			options.parser = socketio.Msgpack{}
			visitFromBrowser(t, browser, openHouse(t, options), string(script), i, msgpackFiles)
		})
	}
}

// visitFromBrowser makes the journey with each client over each transport, in one page of the house.
func visitFromBrowser(t *testing.T, browser *clienttest.Browser, h *house, script string, door int, files []clientFile) {
	t.Helper()
	page := browser.Open(h.url, clienttest.PageOptions{})
	defer page.Close()
	for i, f := range files {
		for _, transport := range transports {
			if !h.options.door.http2 && !chosen(door, i, transport.names) {
				continue
			}
			t.Run(f.name+"/"+transport.name, func(t *testing.T) {
				want := expected(h.options.door, f, transport.names)
				before := h.server.Stats().Engine
				argument, _ := json.Marshal(map[string]any{
					"script": "https://cdn.socket.io/" + f.path, "transports": transport.names, "legacy": want.Protocol == 3, "room": t.Name(),
				})
				if got := clienttest.Value[travelled](t, page.Evaluate(fmt.Sprintf("(%s)(%s)", script, argument))); got != want {
					t.Errorf("got  %+v\nwant %+v", got, want)
				}
				after := h.server.Stats().Engine
				deflated, inflated, encoded := after.Deflated-before.Deflated, after.Inflated-before.Inflated, after.Encoded-before.Encoded
				if websocket := want.Extensions != ""; (deflated >= 3) != websocket || (inflated >= 3) != websocket || (encoded > 0) != want.Compressed {
					t.Errorf("%d messages compressed, %d decompressed, %d answers compressed", deflated, inflated, encoded)
				}
			})
		}
	}
	if n := h.http2.Load(); (n >= 5) != h.options.door.http2 { // two handshakes, and some polls and posts
		t.Errorf("%d requests over HTTP/2", n)
	}
	if n := h.server.Stats().Violations; n != 0 {
		t.Errorf("%d violations", n)
	}
	// A poll and the POST that says goodbye come over two connections or streams, so that the former may come too late.
	// HTTP/2 has no reason phrase: there the parentheses are empty.
	faults := slices.DeleteFunc(page.Faults(), func(fault string) bool { return strings.Contains(fault, "a status of 400 (") })
	if len(faults) > 0 {
		t.Errorf("the page reports %q", faults)
	}
	for why, n := range h.server.Stats().Engine.Rejected {
		if n > 0 && why != "Session ID unknown" {
			t.Errorf("%d requests rejected: %s", n, why)
		}
	}
}

// expected is how a client must have travelled.
func expected(d door, f clientFile, transports []string) travelled {
	want := travelled{Transport: transports[len(transports)-1], Secure: d.tls, Protocol: 4}
	if f.name == clienttest.V25 {
		want.Protocol = 3
	}
	if d.compressed && want.Transport == "websocket" {
		want.Extensions = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	}
	if transports[0] == "polling" {
		want.HTTP, want.Compressed = "http/1.1", want.Transport == "polling"
		if d.http2 {
			want.HTTP = "h2"
		}
	}
	return want
}
