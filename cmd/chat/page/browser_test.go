package page_test

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/page"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// openChat serves the page and its contract, and returns where, and what stops it.
func openChat(t *testing.T, address string) (url string, stop func()) {
	t.Helper()
	server := socketio.New(socketio.Options{
		Handler: page.Handler(page.Options{}),
		Logger:  slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	socketio.On(server, "chatMessage", func(_ context.Context, s *socketio.Socket, text string) error {
		if text == "/kick" {
			s.Disconnect(true)
			return nil
		}
		return server.Emit("reply", text)
	})
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
	two.WaitText("#log li:not(.mine)", "hello from the first tab")
	say(two, markup)
	for _, p := range []*clienttest.Page{one, two} {
		p.WaitText("#log li", markup)
		if got := p.Texts("#count"); !slices.Equal(got, []string{"2"}) {
			t.Errorf("count %q, want 2", got)
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

func TestTransportOfTheURLIsUsed(t *testing.T) {
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
