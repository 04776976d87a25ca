package adminui_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/adminui"
	"github.com/fanfare-go/fanfare/engine/socketio/socketiotest"
)

type ctxt = context.Context

func TestAnAdminIsToldOfEverySocketThereIs(t *testing.T) {
	h := develop(t)
	user := socketio.NewSharedKey[string]("user")
	h.OnConnect(func(_ ctxt, s *socketio.Socket) error {
		user.Set(s, "ada")
		return s.Join("lobby")
	})
	c := h.Connect(socketiotest.ConnectOptions{
		Header: http.Header{"User-Agent": {"a test"}, "Cookie": {"s3cret"}, "Authorization": {"Bearer s3cret"}, "Origin": {"https://example.com"}},
		Query:  url.Values{"token": {"s3cret"}, "lang": {"de"}},
		Auth:   object{"token": "s3cret"},
	})
	h.Settle()
	a := h.admin(nil)
	a.expect("config")
	e := a.next()
	if e.Name != "all_sockets" || strings.Contains(e.Args.String(), "s3cret") {
		t.Fatalf("%v", e)
	}
	var all []shown
	if err := e.Args.Decode(&all); err != nil || len(all) != 2 {
		t.Fatalf("%v %+v", err, all)
	}
	i := slices.IndexFunc(all, func(s shown) bool { return s.Nsp == "/" })
	s := all[i]
	if s.ID != c.ID() || !slices.Equal(s.Rooms, []string{c.ID(), "lobby"}) || s.Transport != "websocket" || len(s.ClientID) != 12 || s.Data["user"] != "ada" {
		t.Errorf("%+v", s)
	}
	hs := s.Handshake
	if hs.Address != "192.0.2.1" || hs.Headers["user-agent"] != "a test" || hs.Headers["cookie"] != "(hidden)" || hs.Query["lang"] != "de" ||
		hs.Query["token"] != "(hidden)" || hs.Issued == 0 || !hs.XDomain || hs.Secure || hs.Time == "" || !strings.Contains(hs.URL, "lang=de") {
		t.Errorf("%+v", hs)
	}
	if other := all[1-i]; other.Nsp != "/admin" || other.ID != a.ID() {
		t.Errorf("%+v", other)
	}
}

func TestSocketsAndRoomsAreShownLive(t *testing.T) {
	h := develop(t)
	h.Of("/other")
	h.Use(func(_ ctxt, s *socketio.Socket) error { return s.Join("early") })
	a := h.watcher()
	c := h.Connect()
	id := c.ID()
	a.expectAbout("room_joined", "/", id, id)
	var s shown
	a.expect("socket_connected", &s)
	if s.ID != id || s.Nsp != "/" || !slices.Equal(s.Rooms, []string{id}) {
		t.Errorf("%+v", s)
	}
	a.expectAbout("room_joined", "/", "early", id)
	_ = c.Socket().Join("r", "r")
	a.expectAbout("room_joined", "/", "r", id)
	c.Socket().Leave("r", "never")
	a.expectAbout("room_left", "/", "r", id)

	d := c.Of("/other", nil)
	a.expectAbout("room_joined", "/other", d.ID(), d.ID())
	var other shown
	a.expect("socket_connected", &other)
	if other.ClientID != s.ClientID {
		t.Errorf("one client is shown as %q and %q", s.ClientID, other.ClientID)
	}
	d.Disconnect()
	a.expectAbout("socket_disconnected", "/other", d.ID(), "client namespace disconnect")
	a.expectAbout("room_left", "/other", d.ID(), d.ID())
	c.Close()
	a.expectAbout("socket_disconnected", "/", id, "transport close")
	a.expectAbout("room_left", "/", id, id)
	a.expectAbout("room_left", "/", "early", id)
	a.nothing(h)
}

func TestNamespacesMadeLaterAreShown(t *testing.T) {
	h := develop(t)
	a := h.watcher()
	h.Of("/late")
	c := h.Connect(socketiotest.ConnectOptions{Namespace: "/late"})
	a.expectAbout("room_joined", "/late", c.ID(), c.ID())
}

func TestEventsAreShownInBothDirections(t *testing.T) {
	h := develop(t)
	socketio.OnAck(h.Server.Server, "ask", func(_ ctxt, _ *socketio.Socket, a socketio.Args) (int, error) { return a.Len(), nil })
	c, d := h.Connect(), h.Connect()
	h.Settle()
	_ = d.Socket().Join("r")
	h.Settle()
	a := h.watcher()

	c.Emit("nobody listens", 1, object{"a": []int{2}}, nil)
	a.expectAbout("event_received", "/", c.ID(), []any{"nobody listens", 1, object{"a": []int{2}}, nil})
	c.Ask("ask", "x").Expect(1)
	a.expectAbout("event_received", "/", c.ID(), []any{"ask", "x"})

	_ = c.Socket().Emit("one", "ä", 2)
	a.expectAbout("event_sent", "/", c.ID(), []any{"one", "ä", 2})
	_ = h.To("r").Emit("some")
	a.expectAbout("event_sent", "/", d.ID(), []any{"some"})
	_ = h.Except("r").Emit("rest")
	a.expectAbout("event_sent", "/", c.ID(), []any{"rest"})
	_ = h.To("nowhere").Emit("nobody")
	_ = h.Of("/admin").Emit("not told of", 1) // to admins
	a.expect("not told of")
	a.nothing(h)
}

func TestArgumentsOfHiddenEventsAreNotShown(t *testing.T) {
	h := open(t, adminui.Options{NoAuth: true, Mode: adminui.Development, HideEvents: []string{"refresh"}}, socketio.Options{})
	c := h.Connect()
	h.Settle()
	a := h.watcher()
	c.Emit("refresh", "s3cret", object{"data": []byte("s3cret")})
	a.expectAbout("event_received", "/", c.ID(), []any{"refresh", "(hidden)"})
	_ = c.Socket().Emit("refresh", "s3cret")
	a.expectAbout("event_sent", "/", c.ID(), []any{"refresh", "(hidden)"})
	c.Emit("other", "no secret")
	a.expectAbout("event_received", "/", c.ID(), []any{"other", "no secret"})
}

// The page that a client is on may have a token in its URL.
func TestSecretsInURLsOfHeadersAreHidden(t *testing.T) {
	h := develop(t)
	h.Connect(socketiotest.ConnectOptions{Header: http.Header{
		"Referer":         {"https://example.com/room?id=7&access_token=s3cret"},
		"X-Forwarded-Uri": {"/socket.io/?EIO=4&token=s3cret&transport=websocket"},
	}})
	h.Settle()
	a := h.admin(nil)
	a.expect("config")
	e := a.next()
	if text := e.Args.String(); strings.Contains(text, "s3cret") || !strings.Contains(text, "/room?id=7") {
		t.Errorf("%.2000s", text)
	}
}

func TestAttachmentsOfEventsAreShown(t *testing.T) {
	h := develop(t)
	c := h.Connect()
	h.Settle()
	a := h.watcher()
	c.Emit("file", object{"name": "x", "data": []byte{1, 2, 3}})
	_ = c.Socket().Emit("thanks", []byte{4})
	for want, value := range map[string][]byte{"event_received": {1, 2, 3}, "event_sent": {4}} {
		e := a.next()
		if want != e.Name && e.Name != "event_sent" && e.Name != "event_received" {
			t.Fatalf("%v", e)
		}
		if want != e.Name {
			want, value = e.Name, map[string][]byte{"event_received": {1, 2, 3}, "event_sent": {4}}[e.Name]
		}
		if n := len(e.Args.Attachments()); n != 1 || string(e.Args.Attachments()[0]) != string(value) {
			t.Errorf("%s: %d attachments, %v", want, n, e)
		}
	}
}

func TestWhatIsShownIsBounded(t *testing.T) {
	h := open(t, adminui.Options{NoAuth: true, Mode: adminui.Development, MaxSockets: 3, EventRate: 5, MaxEventBytes: 100}, socketio.Options{})
	var clients []*socketiotest.Client
	for range 5 {
		clients = append(clients, h.Connect())
	}
	h.Settle()
	a := h.admin(nil)
	a.expect("config")
	var all []shown
	if a.expect("all_sockets", &all); len(all) != 3 {
		t.Errorf("%d sockets", len(all))
	}
	clients[0].Emit("large", strings.Repeat("x", 200))
	if e := a.next(); e.Name != "event_received" || !strings.Contains(e.Args.String(), "bytes, not shown") || len(e.Args.String()) > 200 {
		t.Errorf("%.500v", e)
	}
	for i := range 20 {
		clients[0].Emit("small", i)
	}
	h.Settle()
	n := 0
	for a.Received() > 0 {
		if e := a.Next(); e.Name == "event_received" {
			n++
		}
	}
	if st := h.ui.Stats(); n == 0 || n+int(st.EventsDropped) != 20 || st.EventsDropped < 5 || st.Shown != 3 {
		t.Errorf("%d shown of 20, %+v", n, st)
	}
}

// Notices that are lost are no reason to show what is not so.
func TestWhereNoticesAreLostAdminsAreToldAllAgain(t *testing.T) {
	h := open(t, adminui.Options{NoAuth: true, Mode: adminui.Development}, socketio.Options{MaxNotices: 10})
	c := h.Connect()
	h.Settle()
	a := h.watcher()
	s := c.Socket()
	var want []string
	for i := range 60 {
		want = append(want, fmt.Sprint(i))
	}
	_ = s.Join(want...)
	var rooms []string
	for len(rooms) != 61 {
		switch e := a.next(); e.Name {
		case "room_joined":
		case "all_sockets":
			var all []shown
			if err := e.Args.Decode(&all); err != nil {
				t.Fatal(err)
			}
			for _, s := range all {
				if s.ID == c.ID() {
					rooms = s.Rooms
				}
			}
		default:
			t.Fatalf("%v", e)
		}
	}
}

func TestTransportAndDataAreShownAsTheyChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := develop(t)
		user := socketio.NewSharedKey[object]("user")
		c := h.Connect()
		h.Settle()
		a := h.watcher()
		user.Set(c.Socket(), object{"name": "ada"})
		time.Sleep(3 * time.Second)
		var u object
		a.expect("socket_updated", &u)
		if text(u) != text(object{"id": c.ID(), "nsp": "/", "data": object{"user": object{"name": "ada"}}}) {
			t.Error(text(u))
		}
		time.Sleep(10 * time.Second)
		a.nothing(h)
	})
}

func TestNothingIsPaidWhileNobodyLooks(t *testing.T) {
	h := develop(t)
	c := h.Connect()
	s := c.Socket()
	before := testing.AllocsPerRun(100, func() { _ = s.Emit("e", 1) })
	a := h.watcher()
	h.Settle()
	if st := h.ui.Stats(); st.Admins != 1 || st.Shown != 2 {
		t.Errorf("%+v", st)
	}
	a.Close()
	h.Settle()
	if st := h.ui.Stats(); st.Admins != 0 || st.Shown != 0 {
		t.Errorf("%+v", st)
	}
	if after := testing.AllocsPerRun(100, func() { _ = s.Emit("e", 1) }); after > before {
		t.Errorf("%v allocations, %v before anybody looked", after, before)
	}
	h.OnRoom(func(ctxt, socketio.RoomEvent) {})() // whose book was the last
	b := h.watcher()
	_ = s.Join("r")
	b.expectAbout("room_joined", "/", "r", c.ID())
}
