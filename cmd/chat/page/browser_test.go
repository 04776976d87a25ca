package page_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/conversation"
	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/cmd/chat/page"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// openChat serves the page and the chat's contract, and returns where, and what stops it.
func openChat(t *testing.T, address string) (url string, stop func()) {
	t.Helper()
	h, err := history.Open(t.Context(), history.Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	server := newServer()
	conversation.New(server, h, conversation.Options{})
	// What a test writes to be thrown out.
	server.OnAny(func(_ context.Context, s *socketio.Socket, _ string, args socketio.Args) error {
		if args.String() == `["/kick"]` {
			s.Disconnect(true)
		}
		return nil
	})
	url, stopServer := serve(t, server, address)
	return url, func() {
		stopServer()
		_ = h.Close(context.Background())
	}
}

// openPlainChat serves the page with the least of a contract that there can be.
func openPlainChat(t *testing.T) (url string) {
	t.Helper()
	server := newServer()
	socketio.On(server, "chatMessage", func(_ context.Context, _ *socketio.Socket, text string) error {
		return server.Emit("reply", text)
	})
	url, stop := serve(t, server, "127.0.0.1:0")
	t.Cleanup(stop)
	return url
}

var quiet = slog.New(slog.DiscardHandler)

func newServer() *socketio.Server {
	return socketio.New(socketio.Options{Handler: page.Handler(page.Options{}), AckError: conversation.AckError, Logger: quiet})
}

func serve(t *testing.T, server *socketio.Server, address string) (url string, stop func()) {
	t.Helper()
	if err := server.Listen(address); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background()) }()
	return "http://" + server.Addr().String(), func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		<-served
	}
}

func say(p *clienttest.Page, text string) {
	p.Fill("#message", text)
	p.Press("#message", "Enter")
}

func requireNoFaults(t *testing.T, pages ...*clienttest.Page) {
	t.Helper()
	for i, p := range pages {
		if faults := p.Faults(); len(faults) > 0 {
			t.Errorf("page %d: %s", i, strings.Join(faults, "; "))
		}
	}
}

func TestTwoTabsChat(t *testing.T) {
	browser := clienttest.OpenBrowser(t)
	url, stop := openChat(t, "127.0.0.1:0")
	t.Cleanup(stop)
	one := browser.Open(url, clienttest.PageOptions{})
	two := one.OpenBeside(url)
	for _, p := range []*clienttest.Page{one, two} {
		p.WaitText("#status", "Connected over WebSocket")
	}

	const markup = `<img src=x onerror="document.title='owned'"> & <b>bold</b>`
	say(one, "hello from the first tab")
	two.WaitText("#log .message:not(.mine)", "hello from the first tab")
	say(two, markup)
	for _, p := range []*clienttest.Page{one, two} {
		p.WaitText("#log li", markup)
		if got := p.Texts("#log .message"); len(got) != 2 {
			t.Errorf("%q, want two messages", got)
		}
	}
	one.WaitText("#log li.mine", "hello from the first tab")
	two.WaitText("#log li.mine", markup)
	if title := clienttest.Value[string](t, two.Evaluate("document.title")); title != "Fanfare chat" {
		t.Errorf("title %q: a message became markup", title)
	}
	if left := one.Texts("#outbox li"); len(left) > 0 {
		t.Errorf("outbox %q, want it empty", left)
	}
	requireNoFaults(t, one, two)
	one.Screenshot(filepath.Join(t.ArtifactDir(), "two-tabs.png"))
}

func TestThePageChatsWithAServerThatKnowsOnlyMessages(t *testing.T) {
	notShort(t)
	browser := clienttest.OpenBrowser(t)
	url := openPlainChat(t)
	one := browser.Open(url, clienttest.PageOptions{})
	two := one.OpenBeside(url)
	for _, p := range []*clienttest.Page{one, two} {
		p.WaitText("#status", "Connected over WebSocket")
	}
	say(one, "is this all there is?")
	one.WaitText("#log .mine", "is this all there is?")
	two.WaitText("#log .message:not(.mine)", "is this all there is?")
	requireNoFaults(t, one, two)
}

func TestTransportOfTheURLIsUsed(t *testing.T) {
	notShort(t)
	browser := clienttest.OpenBrowser(t)
	url, stop := openChat(t, "127.0.0.1:0")
	t.Cleanup(stop)
	for transport, words := range map[string]string{"polling": "long polling", "websocket": "WebSocket"} {
		p := browser.Open(url+"/?transport="+transport, clienttest.PageOptions{})
		p.WaitText("#status", "Connected over "+words)
		say(p, "by "+words)
		p.WaitText("#log li.mine", "by "+words)
		requireNoFaults(t, p)
	}
}

func TestPageSaysThatTheClientDidNotLoad(t *testing.T) {
	notShort(t)
	browser := clienttest.OpenBrowser(t)
	url, stop := openChat(t, "127.0.0.1:0")
	t.Cleanup(stop)
	phone := browser.Open(url, clienttest.PageOptions{Width: 390, Height: 760, Phone: true, Dark: true, BlockCDN: true})
	phone.WaitText("#notice", "The Socket.IO client did not load.")
	phone.WaitText("#status", "did not load")
	phone.Screenshot(filepath.Join(t.ArtifactDir(), "no-client.png"))
}

func TestPageReconnectsAndSendsWhatWaited(t *testing.T) {
	browser := clienttest.OpenBrowser(t)
	url, stop := openChat(t, "127.0.0.1:0")
	p := browser.Open(url, clienttest.PageOptions{})
	p.WaitText("#status", "Connected over WebSocket")

	stop()
	p.WaitText("#status[data-state=reconnecting]", "transport close")
	say(p, "written meanwhile")
	p.WaitText("#outbox li", "waiting for a connection")

	_, stop = openChat(t, strings.TrimPrefix(url, "http://"))
	t.Cleanup(stop)
	p.WaitText("#log li.mine", "written meanwhile")
	p.WaitText("#status", "Connected over")
}

func TestPageOffersToConnectAgainAfterAKick(t *testing.T) {
	notShort(t)
	browser := clienttest.OpenBrowser(t)
	url, stop := openChat(t, "127.0.0.1:0")
	t.Cleanup(stop)
	p := browser.Open(url+"/?transport=websocket", clienttest.PageOptions{})
	p.WaitText("#status", "Connected over WebSocket")

	say(p, "/kick")
	p.WaitText("#status[data-state=disconnected]", "io server disconnect")
	p.WaitText("#outbox li", "not confirmed")
	p.Screenshot(filepath.Join(t.ArtifactDir(), "kicked.png"))
	p.Click("#notice button")
	p.WaitText("#status", "Connected over WebSocket")
	p.Fill("#message", "back again")
	p.Press("#message", "Enter")
	p.WaitText("#log li.mine", "back again")
}

// notShort leaves out what is long where tests are to be short: a browser's share in these is greater than ours.
func notShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("with -short this is left out")
	}
}
