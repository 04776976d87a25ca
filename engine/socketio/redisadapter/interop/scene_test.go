package interop_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/socketio/clienttest"
)

// scene is what a case plays in: a fleet, in which server a does something, and the clients of all of them. Each server
// has the clients 1 and 2 in the namespace "/", both in the room "red"; 1 is alone in "only a" (or b, ...), 2 is in "blue";
// and 3, with the connection of 1, in the room "red" of "/chat".
type scene struct {
	*testing.T
	f       *fleet
	driver  *clienttest.Driver
	members []*member // a first
	notes   []string

	transient []any // rooms that the first clients leave when the case is over
}

// play runs a case with the server number first as a, and returns what came of it in lines of text: what was noted, and
// then what each client has received.
func (f *fleet) play(t *testing.T, d *clienttest.Driver, first int, run func(s *scene)) string {
	t.Helper()
	if f.playing {
		t.Skip("an earlier case has not ended well: this fleet plays no more")
	}
	f.playing = true
	s := &scene{T: t, f: f, driver: d, members: slices.Concat(f.servers[first:], f.servers[:first])}
	run(s)
	text := s.transcript()
	for _, room := range s.transient {
		for _, m := range s.members {
			m.do(t, order{Op: "exit", ID: m.clients[0].ID(), Targets: []any{room}})
		}
	}
	f.playing = false
	return text
}

func (s *scene) a() *member { return s.members[0] }

// act has server a do something.
func (s *scene) act(o order) result {
	s.Helper()
	return s.a().do(s.T, o)
}

// client is one of the fleet's, "b2".
func (s *scene) client(name string) *clienttest.Client {
	m, i := s.members[name[0]-'a'], int(name[1]-'0')
	return m.clients[i-1].For(s.T)
}

func (s *scene) id(name string) string { return s.client(name).ID() }

// only is the room that the first client of a server is in alone.
func (s *scene) only(place string) string { return "only " + s.members[place[0]-'a'].name }

// visitor is a client that comes for this case.
func (s *scene) visitor(place string, change ...func(*clienttest.ClientOptions)) *clienttest.Client {
	s.Helper()
	o := clienttest.ClientOptions{URL: s.members[place[0]-'a'].url(), Transports: clienttest.WebSocket}
	for _, f := range change {
		f(&o)
	}
	return s.driver.Connect(s.T, o)
}

// note writes a line of the transcript.
func (s *scene) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// noteAnswers notes answers in the order of the alphabet.
func (s *scene) noteAnswers(r result) {
	var list []string
	for _, a := range r.Answers {
		list = append(list, s.readable(plain(a)))
	}
	slices.Sort(list)
	line := "answers: " + strings.Join(list, " ")
	if r.Missing {
		line += ", some missing"
	}
	s.note("%s", line)
}

// noteSockets notes who was found.
func (s *scene) noteSockets(r result) {
	var list []string
	for _, f := range r.Sockets {
		list = append(list, s.readable(f.ID))
	}
	slices.Sort(list)
	s.note("found: %s", strings.Join(list, " "))
}

func (s *scene) readable(text string) string { return s.f.readable(text, s.members) }

// transcript fences off the case and says what became of it.
func (s *scene) transcript() string {
	s.Helper()
	group := s.f.group(s.T, s.driver)
	s.f.fence(s.T, group)
	received, clients := map[string][]string{}, 0
	for i, got := range group.Drain() {
		if len(got) == 0 {
			continue
		}
		clients++
		m := s.f.servers[i/3]
		name := fmt.Sprintf("%c%d", 'a'+slices.Index(s.members, m), i%3+1)
		what := s.readable(events(got))
		received[what] = append(received[what], name)
	}
	var lines []string
	for what, names := range received {
		slices.Sort(names)
		lines = append(lines, strings.Join(names, " ")+": "+what)
	}
	slices.Sort(lines)
	return s.readable(strings.Join(append(s.notes, lines...), "\n"))
}

// events are those of one client: by name, and in their order within that.
func events(got map[string][][]json.RawMessage) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(got)) {
		for _, args := range got[name] {
			text := make([]string, len(args))
			for k, a := range args {
				text[k] = normal(a)
			}
			list = append(list, strings.TrimSpace(name+" "+strings.Join(text, " ")))
		}
	}
	return strings.Join(list, ", ")
}

// normal writes JSON with its keys in the order of the alphabet.
func normal(raw json.RawMessage) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return string(raw)
	}
	return plain(v)
}

func plain(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}
