package socketio_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"pgregory.net/rapid"
)

var userName = socketio.NewKey[string]()

// forum is a server, and what must be true of it: who is connected, who is in which
// room, and what each client was sent. One goroutine acts, so that its order is defined.
type forum struct {
	testing.TB
	io       *socketio.Server
	addr     string
	came     chan *socketio.Socket
	presence *socketio.Presence
	actors   []*member
	n        int

	mu      sync.Mutex
	replay  map[string]map[string]bool // who is in which room, by room events
	lobby   map[string]map[string]bool // which users, by notices of the presence
	trouble []string                   // events that cannot be
}

// member is one client. It answers what it is asked, unless the event says otherwise.
type member struct {
	wire
	s     *socketio.Socket
	user  string
	rooms map[string]bool
	gone  bool
	want  []string
	got   chan []string
}

var forumRooms = []string{"a", "b", "c"}

func openForum(t *testing.T) *forum {
	f := &forum{TB: t, came: make(chan *socketio.Socket, 1), replay: make(map[string]map[string]bool), lobby: make(map[string]map[string]bool)}
	f.io = socketio.New(quiet(socketio.Options{TurnWrites: 2, PingInterval: time.Hour, AckTimeout: patience}))
	f.io.OnConnect(func(_ ctxt, s *socketio.Socket) error { f.came <- s; return nil })
	users := 0
	f.io.Use(func(_ ctxt, s *socketio.Socket) error {
		users++ // one client after the other
		userName.Set(s, fmt.Sprint("user ", users%3))
		return nil
	})
	f.io.OnRoom(f.onRoom)
	f.presence = socketio.NewPresence(f.io.Of("/"), userName, socketio.PresenceOptions{})
	f.presence.OnChange(f.onChange)
	f.addr = start(t, f.io)
	return f
}

func (f *forum) onRoom(_ ctxt, e socketio.RoomEvent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	room, exists := f.replay[e.Room]
	ok := false
	switch e.Kind {
	case socketio.RoomCreated:
		ok = !exists
		f.replay[e.Room] = make(map[string]bool)
	case socketio.RoomJoined:
		if ok = exists && !room[e.Socket.ID()]; ok {
			room[e.Socket.ID()] = true
		}
	case socketio.RoomLeft:
		ok = exists && room[e.Socket.ID()]
		delete(room, e.Socket.ID())
	case socketio.RoomDeleted:
		ok = exists && len(room) == 0
		delete(f.replay, e.Room)
	}
	if !ok {
		f.trouble = append(f.trouble, fmt.Sprint(e.Kind, " ", e.Room))
	}
}

func (f *forum) onChange(_ ctxt, e socketio.PresenceEvent) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lobby[e.Room] == nil {
		f.lobby[e.Room] = make(map[string]bool)
	}
	if f.lobby[e.Room][e.Member] == e.Joined {
		f.trouble = append(f.trouble, fmt.Sprint("presence ", e))
	}
	if f.lobby[e.Room][e.Member] = e.Joined; !e.Joined {
		delete(f.lobby[e.Room], e.Member)
	}
}

func (f *forum) enter(websockets, pollers int) {
	f.Helper()
	for i := range websockets + pollers {
		m := &member{rooms: make(map[string]bool), got: make(chan []string, 1)}
		if i < websockets {
			m.wire = dial(f, f.addr)
		} else {
			m.wire = dialPolling(f, f.addr)
		}
		enter(m.wire, "40", "40")
		m.s = receive(f, f.came)
		m.user = userName.Get(m.s)
		f.actors = append(f.actors, m)
		go m.listen()
	}
}

// listen notes what comes and answers what is asked.
func (m *member) listen() {
	var got []string
	defer func() { m.got <- got }()
	for {
		s := m.read()
		var id, n int
		if _, err := fmt.Sscanf(s, `42%d["ask",%d]`, &id, &n); err == nil {
			m.send(fmt.Sprintf(`43%d[%d]`, id, n))
			s = fmt.Sprintf(`ask %d`, n)
		}
		got = append(got, s)
		if s == `42["end"]` || s == "41" {
			return
		}
	}
}

// chosen are those whom the model selects.
func (f *forum) chosen(to, except []string) (all []*member) {
	for _, m := range f.actors {
		in := func(r string) bool { return m.rooms[r] || m.s.ID() == r }
		if !m.gone && (len(to) == 0 || slices.ContainsFunc(to, in)) && !slices.ContainsFunc(except, in) {
			all = append(all, m)
		}
	}
	return all
}

func idsOf(all []*member) (ids []string) {
	for _, m := range all {
		ids = append(ids, m.s.ID())
	}
	slices.Sort(ids)
	return ids
}

func (f *forum) ask(t *rapid.T, to, except []string) {
	f.n++
	all := f.chosen(to, except)
	var got []string
	for a, err := range f.io.To(to...).Except(except...).AskAll(context.Background(), "ask", f.n) {
		if err != nil || a.Value.String() != fmt.Sprintf("[%d]", f.n) {
			t.Errorf("%v, %v", a, err)
		}
		got = append(got, a.SocketID)
	}
	if slices.Sort(got); !slices.Equal(got, idsOf(all)) {
		t.Fatalf("answers of %v, want %v", got, idsOf(all))
	}
	for _, m := range all {
		m.want = append(m.want, fmt.Sprint("ask ", f.n))
	}
}

func (f *forum) fetch(t *rapid.T, to, except []string) {
	want := f.chosen(to, except)
	op := f.io.To(to...).Except(except...)
	n, err := op.Count(context.Background())
	if n != len(want) || err != nil {
		t.Errorf("counted %d, %v; want %d", n, err, len(want))
	}
	all, err := op.FetchSockets(context.Background())
	if err != nil {
		t.Error(err)
	}
	var ids []string
	for _, r := range all {
		ids = append(ids, r.ID())
		m := want[slices.IndexFunc(want, func(m *member) bool { return m.s.ID() == r.ID() })]
		rooms := r.Rooms()[1:]
		if slices.Sort(rooms); !slices.Equal(rooms, slices.Sorted(maps.Keys(m.rooms))) {
			t.Errorf("in %v, want %v", rooms, m.rooms)
		}
	}
	if slices.Sort(ids); !slices.Equal(ids, idsOf(want)) {
		t.Fatalf("found %v, want %v", ids, idsOf(want))
	}
}

// compare looks at sizes of rooms and at the presence.
func (f *forum) compare(t *rapid.T) {
	sizes, users := make(map[string]int), make(map[string]map[string]int)
	for _, m := range f.chosen(nil, nil) {
		for r := range m.rooms {
			sizes[r]++
			if users[r] == nil {
				users[r] = make(map[string]int)
			}
			users[r][m.user]++
		}
	}
	if got, err := f.io.Rooms(context.Background()); err != nil || !maps.Equal(got, sizes) {
		t.Errorf("rooms %v, %v; want %v", got, err, sizes)
	}
	for _, r := range forumRooms {
		if got, want := f.presence.Members(r), slices.Sorted(maps.Keys(users[r])); !slices.Equal(got, want) || f.presence.Count(r) != len(want) {
			t.Errorf("present in %s: %v, want %v", r, got, want)
		}
		for u, n := range users[r] {
			if got := f.presence.Sockets(r, u); got != n {
				t.Errorf("%s is in %s with %d sockets, want %d", u, r, got, n)
			}
		}
	}
}

// replayed waits until the room events and notices tell the same as the model.
func (f *forum) replayed(t *rapid.T) {
	rooms := make(map[string][]string)
	users := make(map[string][]string)
	for _, m := range f.chosen(nil, nil) {
		rooms[m.s.ID()] = []string{m.s.ID()}
		for r := range m.rooms {
			rooms[r] = append(rooms[r], m.s.ID())
			users[r] = append(users[r], m.user)
		}
	}
	same := func(want map[string][]string, got map[string]map[string]bool) bool {
		for r := range got {
			ids := slices.Compact(slices.Sorted(slices.Values(want[r])))
			if !slices.Equal(ids, slices.Sorted(maps.Keys(got[r]))) {
				return false
			}
		}
		return true
	}
	eventually(f, "the events tell what is", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.replay) == len(rooms) && same(rooms, f.replay) && same(users, f.lobby)
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.trouble) > 0 {
		t.Fatalf("events that cannot be: %v", f.trouble)
	}
}

func (f *forum) leave(t *rapid.T) {
	f.replayed(t)
	f.compare(t)
	_ = f.io.Emit("end")
	for i, m := range f.actors {
		if !m.gone {
			m.want = append(m.want, `42["end"]`)
		}
		if got := receive(f, m.got); !slices.Equal(got, m.want) {
			t.Errorf("client %d (gone: %v)\n got %s\nwant %s", i, m.gone, strings.Join(got, " "), strings.Join(m.want, " "))
		}
		m.vanish()
	}
	f.actors = nil
	eventually(f, "nobody is left", func() bool { return f.io.Stats().Sockets["/"] == 0 })
	f.replayed(t)
	if n := socketio.PendingSurveys(f.io.Of("/")); n > 0 {
		t.Errorf("%d broadcasts are waited for", n)
	}
}

// Whatever is asked of operators, in whatever order, is what a naive model says: who
// answers, who is found, moved and disconnected, and in what order each client learns
// of it.
func TestOperatorsDoWhatTheModelSays(t *testing.T) {
	f := openForum(t)
	rapid.Check(t, func(rt *rapid.T) {
		const websockets, pollers = 4, 1
		f.enter(websockets, pollers)
		one := rapid.IntRange(0, websockets+pollers-1)
		some := rapid.SliceOfNDistinct(rapid.SampledFrom(forumRooms), 0, 2, rapid.ID[string])
		names := func(t *rapid.T, label string) []string { // rooms, and now and then an id
			all := some.Draw(t, label)
			if rapid.IntRange(0, 3).Draw(t, "an id") == 0 {
				all = append(all, f.actors[one.Draw(t, "whose")].s.ID())
			}
			return all
		}
		rt.Repeat(map[string]func(*rapid.T){
			"emit": func(t *rapid.T) {
				to, except := names(t, "to"), names(t, "except")
				f.n++
				_ = f.io.To(to...).Except(except...).Emit("m", f.n)
				for _, m := range f.chosen(to, except) {
					m.want = append(m.want, fmt.Sprintf(`42["m",%d]`, f.n))
				}
			},
			"ask":   func(t *rapid.T) { f.ask(t, names(t, "to"), names(t, "except")) },
			"fetch": func(t *rapid.T) { f.fetch(t, names(t, "to"), names(t, "except")) },
			"sockets join": func(t *rapid.T) {
				to, except, rooms := names(t, "to"), names(t, "except"), some.Draw(t, "rooms")
				if err := f.io.To(to...).Except(except...).SocketsJoin(rooms...); err != nil {
					t.Error(err)
				}
				for _, m := range f.chosen(to, except) {
					for _, r := range rooms {
						m.rooms[r] = true
					}
				}
			},
			"sockets leave": func(t *rapid.T) {
				to, except, rooms := names(t, "to"), names(t, "except"), some.Draw(t, "rooms")
				all := f.chosen(to, except)
				_ = f.io.To(to...).Except(except...).SocketsLeave(rooms...)
				for _, m := range all {
					for _, r := range rooms {
						delete(m.rooms, r)
					}
				}
			},
			"one joins": func(t *rapid.T) {
				m, r := f.actors[one.Draw(t, "who")], rapid.SampledFrom(forumRooms).Draw(t, "in")
				if _ = m.s.Join(r); !m.gone {
					m.rooms[r] = true
				}
			},
			"one leaves": func(t *rapid.T) {
				m, r := f.actors[one.Draw(t, "who")], rapid.SampledFrom(forumRooms).Draw(t, "out")
				m.s.Leave(r)
				delete(m.rooms, r)
			},
			"disconnect": func(t *rapid.T) {
				if rapid.IntRange(0, 4).Draw(t, "seldom") > 0 {
					return
				}
				to, hangUp := []string{f.actors[one.Draw(t, "who")].s.ID()}, rapid.Bool().Draw(t, "hang up")
				if rapid.Bool().Draw(t, "a room") {
					to = []string{rapid.SampledFrom(forumRooms).Draw(t, "room")}
				}
				all := f.chosen(to, nil)
				_ = f.io.To(to...).DisconnectSockets(hangUp)
				for _, m := range all {
					m.gone = true
					m.want = append(m.want, "41")
				}
			},
			"": func(t *rapid.T) { f.compare(t) },
		})
		f.leave(rt)
	})
	if st := f.io.Stats(); st.Panics+st.Errors+st.Violations+st.NoticesLost != 0 {
		t.Errorf("%+v", st)
	}
}
