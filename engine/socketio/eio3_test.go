package socketio_test

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Clients of Socket.IO 2 on the wire. The official one is driven in clienttest.

// dial3 is dial for a client of Engine.IO 3, which may have said more in its URL.
func dial3(tb testing.TB, addr, query string) *peer {
	tb.Helper()
	return dialURL(tb, "ws://"+addr+"/socket.io/?EIO=3&transport=websocket"+query, nil)
}

// join3 is dial3 where the default namespace lets everybody in.
func join3(tb testing.TB, addr string) *peer {
	tb.Helper()
	p := dial3(tb, addr, "")
	p.expect("40")
	return p
}

func TestFact13ClientsOfEIO3AreInWithoutAsking(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{AllowEIO3: true})
	c := join3(t, w.addr)
	root := receive(t, w.joined)
	if root.Protocol() != 3 {
		t.Errorf("protocol %d", root.Protocol())
	}
	if id := engineID(c); root.ID() != id || root.Handshake().Auth != nil || root.Handshake().Query.Get("EIO") != "3" {
		t.Errorf("id %s of the session %s, handshake %+v", root.ID(), id, root.Handshake())
	}
	echoes(c, 0)
	c.send("40/other,")
	c.expect("40/other,")
	other := receive(t, w.joined)
	if other.ID() != "/other#"+root.ID() {
		t.Errorf("id %s", other.ID())
	}
	c.send(`451-3["echo",{"_placeholder":true,"num":0}]`)
	c.sendBinary(4, 1, 2)
	c.expect(`461-3[{"_placeholder":true,"num":0}]`, "binary:\x04\x01\x02")

	c.send("41") // the others stay
	w.ended(t, ending(root, socketio.ReasonClientNamespaceDisconnect))
	c.send(`42/other,1["echo","still here"]`)
	c.expect(`43/other,1["still here"]`)
	other.Disconnect(true)
	c.expect("41/other,")
	closesSilently(c)
	w.ended(t, ending(other, socketio.ReasonServerNamespaceDisconnect))
	w.healthy(t)
}

func TestEIO3OverPollingIsInWithTheNextPoll(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{AllowEIO3: true})
	l := dialLine(t, w.addr)
	get := func(sid string) string {
		l.ask("GET /socket.io/?EIO=3&transport=polling&sid=" + sid + " HTTP/1.1\r\nHost: x\r\n\r\n")
		_, body := l.answer()
		return body
	}
	l.ask("GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
	_, open := l.answer()
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	if !strings.HasPrefix(open, `118:0{"sid":"`) || !strings.HasSuffix(open, "}") {
		t.Errorf("handshake: %s", open)
	}
	if got := get(sid); got != "2:40" {
		t.Errorf("first poll: %q", got)
	}
	receive(t, w.joined).Disconnect(true)
	if got := get(sid); !strings.HasPrefix(got, "2:41") {
		t.Errorf("after the disconnect: %q", got)
	}
	eventually(t, "the session is over", func() bool { return get(sid) == unknownSession })
}

func TestFact43TheQueryOfEIO3IsItsAuth(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{AllowEIO3: true})
	for _, tt := range []struct{ query, auth string }{
		{"", ""},
		{"?", "{}"},
		{"?token=x", `{"token":"x"}`},
		{"?token=a%20b+c&n=1&m=%F0%9F%98%80&n=2", `{"token":"a b c","n":"2","m":"😀"}`},
		{"?quote=%22%5C&flag&=nameless&&bad=%zz+1;2", `{"quote":"\"\\","flag":"","":"nameless","bad":"%zz 1;2"}`},
		{"?not=utf8%ff", `{"not":"utf8` + "\uFFFD" + `"}`},
		{"?a=1?b=2", `{"a":"1?b=2"}`},
		{"?jwt=" + strings.Repeat("x", 8000), `{"jwt":"` + strings.Repeat("x", 8000) + `"}`},
	} {
		for _, end := range []string{"", ",", `,{"ignored":true}`} {
			c := join3(t, w.addr)
			w.socket(c, engineID(c))
			c.send("40/other" + tt.query + end)
			c.expect("40/other,")
			if got := string(receive(t, w.joined).Handshake().Auth); got != tt.auth {
				t.Errorf("%.50s%s: auth = %.100s, want %.100s", tt.query, end, got, tt.auth)
			}
			c.send(`42/other?x=1,0["echo",1]`) // it means nothing here
			c.expect("43/other,0[1]")
		}
	}
	c := join3(t, w.addr)
	c.send("40/nope?x=1,")
	c.expect(`44/nope,{"message":"Invalid namespace"}`)
	for _, bad := range []string{
		"40", "40/?x=1,", "40?x=1", // in already, or no namespace
		"40/" + strings.Repeat("x", 600) + ",", "40/other?x=" + strings.Repeat("x", 9000) + ",",
		`44"error"`, `42/other,["echo"]`,
	} {
		c := join3(t, w.addr)
		c.send(bad)
		closesSilently(c)
	}
	w.healthy(t)
}

func TestEIO3RefusalsAreBareValues(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{AllowEIO3: true, OnError: func(ctxt, *socketio.Socket, error) {}}))
	answers := map[string]struct {
		err  error
		want string
	}{
		"text":   {errors.New("no <entry>"), `"no <entry>"`},
		"object": {&socketio.ConnectError{Message: "no", Data: map[string]int{"code": 7}}, `{"code":7}`},
		"list":   {&socketio.ConnectError{Message: "no", Data: []int{7}}, `[7]`},
		"string": {&socketio.ConnectError{Message: "no", Data: "because"}, `"because"`},
		"empty":  {&socketio.ConnectError{Message: "no", Data: ""}, `"no"`},
		"number": {&socketio.ConnectError{Message: "no", Data: 7}, `"no"`},
		"true":   {&socketio.ConnectError{Message: "no", Data: true}, `"no"`},
		"none":   {&socketio.ConnectError{Message: "no"}, `"no"`},
		"broken": {&socketio.ConnectError{Message: "no", Data: func() {}}, `"no"`},
	}
	admin := io.Of("/admin")
	admin.Use(func(_ context.Context, s *socketio.Socket) error {
		var auth struct{ With string }
		if err := s.DecodeAuth(&auth); err != nil {
			return err
		}
		return answers[auth.With].err
	})
	io.Use(func(_ context.Context, s *socketio.Socket) error {
		return answers[s.Handshake().Query.Get("with")].err
	})
	addr := start(t, io)
	for with, a := range answers {
		c := dial3(t, addr, "&with="+with) // the default namespace refuses, others need not
		c.expect("44" + a.want)
		c.send("40/admin?with=" + with + ",")
		c.expect("44/admin," + a.want)
		c.send("40/admin,")
		c.expect("40/admin,")
	}
}

func TestEIO3ClientsThatAreRefusedHaveTheConnectTimeout(t *testing.T) {
	t.Parallel()
	io := socketio.New(quiet(socketio.Options{AllowEIO3: true, ConnectTimeout: timeoutForTests}))
	io.Use(func(context.Context, *socketio.Socket) error { return errors.New("no") })
	c := dial3(t, start(t, io), "")
	c.expect(`44"no"`)
	closesSilently(c)
}

// Whoever is called by an id of one kind is found by it, and by no other.
func TestEIO3IDsAreRooms(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{AllowEIO3: true})
	c := join3(t, w.addr)
	c.send("40/other,")
	c.expect("40/other,")
	id := engineID(c)
	nsp := w.Of("/other")
	for _, room := range []string{id, "/#" + id, "#" + id, "/admin#" + id, "/other#" + id + "x", "/other#", "/other", "other#" + id} {
		if err := nsp.To(room).Emit("wrong", room); err != nil {
			t.Fatal(err)
		}
	}
	if err := nsp.To("/other#" + id).Emit("right"); err != nil {
		t.Fatal(err)
	}
	c.expect(`42/other,["right"]`)
	if err := w.To("/other#" + id).Emit("wrong"); err != nil {
		t.Fatal(err)
	}
	if err := w.To(id).Emit("right"); err != nil {
		t.Fatal(err)
	}
	c.expect(`42["right"]`)

	for nsp, id := range map[*socketio.Namespace]string{w.Of("/"): id, nsp: "/other#" + id} {
		s, ok := nsp.Socket(id)
		if !ok || s.ID() != id {
			t.Errorf("no socket %s", id)
		}
		for range 2 { // by its id alone, and where a room is called so, too
			if n, err := nsp.In(id).Count(t.Context()); n != 1 || err != nil {
				t.Errorf("%s: %d, %v", id, n, err)
			}
			if err := s.Join("room#" + id); err != nil {
				t.Fatal(err)
			}
		}
	}

	five, fifth := join(t, w.addr) // beside it, as ever
	if err := w.To(fifth).Except(id).Emit("hello"); err != nil {
		t.Fatal(err)
	}
	five.expect(`42["hello"]`)
}

func TestEIO3IDsOfNamedSessions(t *testing.T) {
	t.Parallel()
	w := watch(t, socketio.Options{AllowEIO3: true, GenerateID: func(r *http.Request) (string, error) {
		return "user-" + cmp.Or(r.URL.Query().Get("user"), "nobody"), nil
	}})
	for _, user := range []string{"42", "43"} {
		c := dial3(t, w.addr, "&user="+user)
		c.expect("40")
		c.send("40/other,")
		c.expect("40/other,")
		id := "user-" + user
		joined := map[string]string{} // in any order: namespaces do not wait for each other
		for range 2 {
			s := receive(t, w.joined)
			joined[s.Namespace().Name()] = s.ID()
		}
		if joined["/"] != id || joined["/other"] != "/other#"+id {
			t.Fatalf("ids %v", joined)
		}
		for nsp, room := range map[string]string{"/": id, "/other": "/other#" + id} {
			if err := w.Of(nsp).Except(room).Emit("wrong"); err != nil {
				t.Fatal(err)
			}
			if err := w.Of(nsp).To(room).Emit("right"); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := c.read(), c.read(); a != `42["right"]` && b != `42["right"]` || a != `42/other,["right"]` && b != `42/other,["right"]` {
			t.Errorf("got %q and %q", a, b)
		}
		_ = c.conn.Close()
		w.ended(t, end{"/", id, socketio.ReasonTransportClose})
	}
}

func TestEIO3KeysTellSessionsApart(t *testing.T) {
	seen := make(map[string]string)
	for _, session := range []string{"", "a", "b", "aa", strings.Repeat("a", 20), strings.Repeat("a", 21), strings.Repeat("a", 64), "user-42", "user-43"} {
		key := socketio.KeyEIO3(session)
		if other, taken := seen[key]; taken {
			t.Errorf("%q and %q are the same", session, other)
		}
		if seen[key] = session; key != socketio.KeyEIO3(session) || len(session) == 20 && key != session {
			t.Errorf("%q: key %q", session, key)
		}
	}
}
