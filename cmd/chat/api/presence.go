package api

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// standardPage is how much a page has if nobody says.
const standardPage = 100

// socketsRequest asks who is there.
type socketsRequest struct {
	Namespace string   `json:"namespace"`
	Rooms     []string `json:"rooms"`
	Except    []string `json:"except"`
	After     string   `json:"after"`
	Limit     int      `json:"limit"`
}

type socketsAnswer struct {
	Sockets []socketEntry `json:"sockets"`        // by id
	Total   int           `json:"total"`          // on all pages
	Next    string        `json:"next,omitempty"` // what to give as after for the next page; absent on the last
}

type socketEntry struct {
	ID          string     `json:"id"`
	Rooms       []string   `json:"rooms"` // without its id
	Transport   string     `json:"transport,omitempty"`
	Address     string     `json:"address,omitempty"`
	ConnectedAt *time.Time `json:"connected_at,omitempty"`
	User        *userEntry `json:"user,omitempty"`
}

type userEntry struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

func sockets(c *call, q *socketsRequest) (a socketsAnswer, err error) {
	limit, err := c.page(q.Limit, standardPage)
	if err != nil {
		return a, err
	}
	all, err := c.fetch(q.Namespace, q.Rooms, q.Except)
	if err != nil {
		return a, err
	}
	a.Total = len(all)
	page, next := pageOf(all, (*socketio.RemoteSocket).ID, q.After, limit)
	a.Next = next
	a.Sockets = make([]socketEntry, len(page))
	for i, s := range page {
		a.Sockets[i] = c.entry(s)
	}
	return a, nil
}

// fetch returns the sockets selected.
func (c *call) fetch(namespace string, rooms, except []string) ([]*socketio.RemoteSocket, error) {
	b, err := c.chosen(namespace, rooms, except)
	if err != nil {
		return nil, err
	}
	return b.FetchSockets(c.ctx)
}

// pageOf returns the first of all whose names come behind after, by name, and where the
// next page begins. It changes all.
func pageOf[T any](all []T, name func(T) string, after string, limit int) (page []T, next string) {
	rest := slices.DeleteFunc(all, func(x T) bool { return after != "" && name(x) <= after })
	slices.SortFunc(rest, func(a, b T) int { return strings.Compare(name(a), name(b)) })
	if len(rest) <= limit {
		return rest, ""
	}
	return rest[:limit], name(rest[limit-1])
}

func (c *call) entry(s *socketio.RemoteSocket) socketEntry {
	e := socketEntry{ID: s.ID(), Rooms: slices.DeleteFunc(s.Rooms(), func(r string) bool { return r == s.ID() })}
	slices.Sort(e.Rooms)
	h := s.Handshake()
	e.Address = h.Address
	if !h.Time.IsZero() {
		at := h.Time.UTC()
		e.ConnectedAt = &at
	}
	if local, ok := s.Local(); ok {
		e.Transport = local.Transport().String()
	}
	if u := c.user(s); u != (userEntry{}) {
		e.User = &u
	}
	return e
}

// user says who a socket of this server is.
func (c *call) user(s *socketio.RemoteSocket) (u userEntry) {
	local, ok := s.Local()
	if ask := c.server.options.User; ok && ask != nil {
		u.ID, u.Name = ask(local)
	}
	return u
}

// roomsRequest asks which rooms there are.
type roomsRequest struct {
	Namespace string `json:"namespace"`
	Prefix    string `json:"prefix"`
	After     string `json:"after"`
	Limit     int    `json:"limit"`
}

type roomsAnswer struct {
	Rooms []roomEntry `json:"rooms"` // by name
	Total int         `json:"total"` // on all pages
	Next  string      `json:"next,omitempty"`
}

type roomEntry struct {
	Name    string `json:"name"`
	Sockets int    `json:"sockets"`
}

func rooms(c *call, q *roomsRequest) (a roomsAnswer, err error) {
	limit, err := c.page(q.Limit, standardPage)
	if err != nil {
		return a, err
	}
	n, err := c.namespace(q.Namespace)
	if err != nil {
		return a, err
	}
	sizes, err := n.Rooms(c.ctx)
	if err != nil {
		return a, err
	}
	maps.DeleteFunc(sizes, func(name string, _ int) bool { return !strings.HasPrefix(name, q.Prefix) })
	all := slices.Collect(maps.Keys(sizes))
	a.Total = len(all)
	page, next := pageOf(all, func(name string) string { return name }, q.After, limit)
	a.Next = next
	a.Rooms = make([]roomEntry, len(page))
	for i, name := range page {
		a.Rooms[i] = roomEntry{name, sizes[name]}
	}
	return a, nil
}

// presenceRequest asks which people are in a room.
type presenceRequest struct {
	Namespace string `json:"namespace"`
	Room      string `json:"room"`
	Limit     int    `json:"limit"`
}

type presenceAnswer struct {
	Sockets   int           `json:"sockets"`             // in the room
	Count     int           `json:"count"`               // people: those who are logged in once each, and guests
	Members   []memberEntry `json:"members"`             // by name, those who are logged in first
	Truncated bool          `json:"truncated,omitempty"` // there are more than those
}

type memberEntry struct {
	userEntry
	Sockets int `json:"sockets"`
}

func presence(c *call, q *presenceRequest) (a presenceAnswer, err error) {
	limit, err := c.page(q.Limit, standardPage)
	if err != nil {
		return a, err
	}
	var in []string
	if q.Room != "" {
		in = []string{q.Room}
	}
	all, err := c.fetch(q.Namespace, in, nil)
	if err != nil {
		return a, err
	}
	a.Sockets = len(all)
	people := c.people(all)
	a.Count = len(people)
	if len(people) > limit {
		people, a.Truncated = people[:limit], true
	}
	a.Members = people
	return a, nil
}

// people counts each user once, and every guest.
func (c *call) people(all []*socketio.RemoteSocket) []memberEntry {
	users := make(map[string]int) // where they are in the list
	list := make([]memberEntry, 0, len(all))
	for _, s := range all {
		u := c.user(s)
		at, known := users[u.ID]
		if known && u.ID != "" {
			list[at].Sockets++
			continue
		}
		users[u.ID] = len(list)
		list = append(list, memberEntry{u, 1})
	}
	slices.SortStableFunc(list, func(a, b memberEntry) int {
		if (a.ID == "") != (b.ID == "") {
			return cmp.Compare(b.ID, a.ID)
		}
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return list
}
