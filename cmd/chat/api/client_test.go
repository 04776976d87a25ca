package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/api"
	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// cast is official clients of a stage.
func (s *stage) cast(t *testing.T, n int, namespace string) []*clienttest.Client {
	t.Helper()
	d := clienttest.Start(t)
	all := make([]*clienttest.Client, n)
	for i := range all {
		all[i] = d.Connect(t, clienttest.ClientOptions{URL: s.url, Namespace: namespace, Transports: clienttest.WebSocket})
	}
	return all
}

func TestOfficialClientsReceiveWhatIsEmitted(t *testing.T) {
	t.Parallel()
	s := perform(t, api.Options{}, nil)
	c := s.cast(t, 3, "/")
	s.post("/v1/join", fmt.Sprintf(`{"rooms":[%q,%q],"join":["news","b"]}`, c[0].ID(), c[1].ID()), `{"sockets":2}`)
	s.post("/v1/join", fmt.Sprintf(`{"rooms":[%q],"join":["muted"]}`, c[1].ID()), `{"sockets":1}`)

	s.post("/v1/emit", `{"event":"all","args":[1],"count":true}`, `{"sockets":3}`)
	s.post("/v1/emit", `{"rooms":["news","b"],"event":"room","args":["x",{"deep":[true,null]}],"count":true}`, `{"sockets":2}`)
	s.post("/v1/emit", `{"rooms":["news"],"except":["muted"],"event":"some","volatile":true,"no_compress":true,"count":true}`, `{"sockets":1}`)
	s.post("/v1/emit", `{"rooms":["empty"],"event":"nobody"}`, `{}`)
	s.post("/v1/broadcast", `{"emits":[{"event":"one"},{"rooms":["news"],"event":"two","count":true},{"event":"connect"},{"event":"end"}]}`,
		`{"results":[{},{"sockets":2},{"error":{"code":"reserved_event","message":"emits[2]: event: \"connect\" is a reserved event name"}},{}],"failed":1}`)
	for i, want := range []string{"all room some one two end", "all room one two end", "all one end"} {
		for _, event := range []string{"end", "all", "room", "some", "one", "two", "nobody"} { // end is the last
			n := strings.Count(" "+want+" ", " "+event+" ")
			if got := c[i].Wait(event, n); len(got) != n || c[i].Count(event) != 0 {
				t.Errorf("client %d: %d and more times %q, want %d", i, len(got), event, n)
			}
		}
	}
}

func TestArgumentsArriveAsTheyStand(t *testing.T) {
	t.Parallel()
	s := perform(t, api.Options{}, nil)
	c := s.cast(t, 1, "/")[0]
	c.AnswerEcho("echo")
	id := c.ID()
	for _, args := range []string{
		`["ü\u00fc \ud83d\ude00",0.10,1e3,-0,true,null,{},[]]`,
		`[{"b":1,"a":{"z":2,"y":3},"$binar":1,"x":{"$binary":"AAEC","more":1}}]`,
		`[{"$binary":"AAEC/w=="},{"deep":[{"$binary":""},{"name":"a.png","data":{"$binary":"iVBORw0KGgo="}}]}]`,
	} {
		got := s.post("/v1/emit", fmt.Sprintf(`{"rooms":[%q],"event":"echo","args":%s,"ack_timeout_ms":20000}`, id, args), "")
		args = strings.NewReplacer(`\u00fc`, "ü", `\ud83d\ude00`, "😀", "0.10", "0.1", "1e3", "1000", "-0", "0").Replace(args) // JavaScript's way
		if want := fmt.Sprintf(`{"sockets":1,"answers":[{"socket":%q,"args":%s}],"answered":1}`+"\n", id, args); got.body != want {
			t.Errorf("have %swant %s", got.body, want)
		}
	}
	s.post("/v1/emit", `{"event":"bytes","args":[{"$binary":"AAEC/w=="}]}`, "")
	if got := clienttest.Value[clienttest.Binary](t, c.Wait("bytes", 1)[0][0]); string(got) != "\x00\x01\x02\xff" {
		t.Errorf("% x", []byte(got))
	}
}

func TestAcknowledgementsAreCollected(t *testing.T) {
	t.Parallel()
	s := perform(t, api.Options{MaxAnswers: 2}, nil)
	c := s.cast(t, 4, "/")
	for i := range 3 {
		c[i].Answer("ask", i, map[string]any{"$binary": "no"})
	}
	a := s.post("/v1/emit", fmt.Sprintf(`{"rooms":[%q,%q],"event":"ask","ack_timeout_ms":20000}`, c[0].ID(), c[1].ID()), "").body
	for i := range 2 {
		if !strings.Contains(a, fmt.Sprintf(`{"socket":%q,"args":[%d,{"$binary":"no"}]}`, c[i].ID(), i)) {
			t.Errorf("no answer of client %d in %s", i, a)
		}
	}
	if !strings.HasPrefix(a, `{"sockets":2,"answers":[`) || !strings.HasSuffix(a, `],"answered":2}`+"\n") {
		t.Errorf("two answers: %s", a)
	}
	// A silent client, and a bound on what is listed.
	s.post("/v1/emit", fmt.Sprintf(`{"rooms":[%q],"event":"ask","ack_timeout_ms":50}`, c[3].ID()),
		fmt.Sprintf(`{"sockets":1,"missing":[{"socket":%q,"reason":"timeout"}]}`, c[3].ID()))
	a = s.post("/v1/emit", fmt.Sprintf(`{"except":[%q],"event":"ask","ack_timeout_ms":20000}`, c[3].ID()), "").body
	if !strings.HasPrefix(a, `{"sockets":3,`) || !strings.HasSuffix(a, `"answered":3,"truncated":true}`+"\n") || strings.Count(a, `"socket":`) != 2 {
		t.Errorf("bounded: %s", a)
	}
	// One that goes while it is waited for.
	ended := make(chan reply, 1)
	go func() {
		ended <- s.ask(http.MethodPost, "/v1/emit", fmt.Sprintf(`{"rooms":[%q],"event":"leave?","ack_timeout_ms":30000}`, c[3].ID()))
	}()
	c[3].Wait("leave?", 1)
	c[3].Disconnect()
	s.same(<-ended, fmt.Sprintf(`{"sockets":1,"missing":[{"socket":%q,"reason":"disconnected"}]}`, c[3].ID()))
}

func TestSocketsJoinLeaveAndDisconnect(t *testing.T) {
	t.Parallel()
	s := perform(t, api.Options{}, func(io *socketio.Server) { io.Of("/orders") })
	c := s.cast(t, 3, "/orders")
	s.post("/v1/join", fmt.Sprintf(`{"namespace":"/orders","rooms":[%q,%q],"join":["a"]}`, c[0].ID(), c[1].ID()), `{"sockets":2}`)
	s.post("/v1/join", `{"namespace":"/orders","join":["everybody"]}`, `{"sockets":3}`)
	s.post("/v1/leave", fmt.Sprintf(`{"namespace":"/orders","rooms":["a"],"except":[%q],"leave":["a","everybody","none"]}`, c[0].ID()), `{"sockets":1}`)
	s.get("/v1/rooms?namespace=/orders", `{"rooms":[{"name":"a","sockets":1},{"name":"everybody","sockets":2}],"total":2}`)
	s.get("/v1/rooms", `{"rooms":[],"total":0}`)

	s.post("/v1/disconnect", `{"namespace":"/orders","rooms":["a"]}`, `{"sockets":1}`)
	if why := c[0].WaitDisconnect(); why.Reason != "io server disconnect" {
		t.Errorf("%+v", why)
	}
	s.post("/v1/disconnect", `{"namespace":"/orders","everybody":true,"except":["everybody"],"close":true}`, `{"sockets":1}`)
	if why := c[1].WaitDisconnect(); why.Reason != "io server disconnect" && why.Reason != "transport close" {
		t.Errorf("%+v", why)
	}
	s.get("/v1/info", "")
	eventually(t, func() error {
		if a := s.get("/v1/info", "").body; !strings.Contains(a, `"namespaces":[{"name":"/","sockets":0},{"name":"/orders","sockets":1}]`) {
			return errors.New(a)
		}
		return nil
	})
}

// A name that nobody has asked for as a client is unknown, and stays so.
func TestDynamicNamespacesAreFoundAndNeverMade(t *testing.T) {
	t.Parallel()
	made := make(chan string, 10)
	s := perform(t, api.Options{}, func(io *socketio.Server) {
		io.OnNewNamespace(func(n *socketio.Namespace) { made <- n.Name() })
		io.OfPattern(regexp.MustCompile(`^/room-\d+$`))
	})
	paths := map[string]string{
		"/v1/emit": `,"event":"x"`, "/v1/join": `,"join":["r"]`, "/v1/leave": `,"leave":["r"]`, "/v1/disconnect": `,"everybody":true`,
	}
	for _, name := range []string{"/room-7", "/nowhere", "/_0", "/a,b"} {
		for path, rest := range paths {
			s.ask(http.MethodPost, path, fmt.Sprintf(`{"namespace":%q%s}`, name, rest)).refused(t, 404, "unknown_namespace", name)
		}
		for _, path := range []string{"/v1/sockets", "/v1/rooms", "/v1/presence"} {
			s.ask(http.MethodGet, path+"?namespace="+name, "").refused(t, 404, "unknown_namespace", name)
		}
	}
	if len(made) != 0 {
		t.Fatalf("%q was made", <-made)
	}
	c := s.cast(t, 1, "/room-7")[0]
	s.post("/v1/emit", `{"namespace":"/room-7","event":"x","args":["y"],"count":true}`, `{"sockets":1}`)
	c.Wait("x", 1)
}

func TestSocketsAreListedPageByPage(t *testing.T) {
	t.Parallel()
	names := socketio.NewKey[string]()
	s := perform(t, api.Options{User: func(s *socketio.Socket) (string, string) { return names.Get(s), "Name of " + names.Get(s) }},
		func(io *socketio.Server) {
			io.OnConnect(func(_ context.Context, s *socketio.Socket) error {
				names.Set(s, "u"+s.Handshake().Query.Get("u"))
				return s.Join("r", "q")
			})
		})
	d := clienttest.Start(t)
	ids := map[string]bool{}
	for i := range 5 {
		c := d.Connect(t, clienttest.ClientOptions{URL: s.url, Query: map[string]string{"u": fmt.Sprint(i / 2)}, Transports: clienttest.WebSocket})
		ids[c.ID()] = true
	}
	entry := regexp.MustCompile(`\{"id":"([^"]+)","rooms":\["q","r"\],"transport":"websocket","address":"127.0.0.1","connected_at":"20[^"]+Z","user":\{"id":"u\d","name":"Name of u\d"\}\}`)
	after, pages, last := "", 0, ""
	for {
		a := s.get("/v1/sockets?rooms=r&rooms=nobody&limit=2&after="+after, "").body
		pages++
		for _, m := range entry.FindAllStringSubmatch(a, -1) {
			if !ids[m[1]] || m[1] <= last {
				t.Errorf("%s is none of the sockets, is there twice, or is out of order", m[1])
			}
			delete(ids, m[1])
			last = m[1]
		}
		if !strings.Contains(a, `"total":5`) {
			t.Error(a)
		}
		m := regexp.MustCompile(`"next":"([^"]+)"`).FindStringSubmatch(a)
		if m == nil {
			break
		}
		after = m[1]
	}
	if len(ids) != 0 || pages != 3 {
		t.Errorf("%d were not listed on %d pages", len(ids), pages)
	}
	s.get("/v1/sockets?except=r", `{"sockets":[],"total":0}`)
	s.get("/v1/presence?room=r", `{"sockets":5,"count":3,"members":[{"id":"u0","name":"Name of u0","sockets":2},{"id":"u1","name":"Name of u1","sockets":2},{"id":"u2","name":"Name of u2","sockets":1}]}`)
	s.get("/v1/presence?limit=1", `{"sockets":5,"count":3,"members":[{"id":"u0","name":"Name of u0","sockets":2}],"truncated":true}`)
	s.get("/v1/presence?room=nobody", `{"sockets":0,"count":0,"members":[]}`)
}
