package history_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fanfare-go/fanfare/cmd/chat/history"
	"github.com/fanfare-go/fanfare/cmd/chat/history/postgrestest"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

// stores are the places that must behave alike, each with a function that makes it empty.
func stores(t *testing.T) map[string]func(*rapid.T) history.Options {
	db := postgrestest.Start(t)
	folder, n := t.TempDir(), 0
	return map[string]func(*rapid.T) history.Options{
		"memory": func(*rapid.T) history.Options { return history.Options{Store: history.StoreMemory} },
		"bbolt": func(*rapid.T) history.Options {
			n++
			return history.Options{Store: filepath.Join(folder, fmt.Sprint(n))}
		},
		"postgres": func(r *rapid.T) history.Options {
			ctx := context.Background()
			c, err := pgx.Connect(ctx, db.URL)
			if err != nil {
				r.Fatal(err)
			}
			defer func() { _ = c.Close(ctx) }()
			if _, err := c.Exec(ctx, `DROP TABLE IF EXISTS fanfare_messages`); err != nil {
				r.Fatal(err)
			}
			return history.Options{Store: db.URL}
		},
	}
}

// The model is every message that was added, in a list. A room has its newest Keep of them
// at least, less those that expired, and with them whole rooms that were too many.
type model struct {
	h     *history.History
	keep  int
	rooms int
	now   time.Time
	said  map[string][]history.Message
	quiet []string // rooms but the lobby, the one that was quiet for the longest time first
}

func (m *model) say(r *rapid.T) {
	room := rapid.SampledFrom([]string{"", "", "a", "b", "c", "d", "room with a longer name ✓"}).Draw(r, "room")
	message := history.Message{
		Room: room,
		User: rapid.SampledFrom([]string{"", "ada", "zoë"}).Draw(r, "user"),
		Name: rapid.String().Draw(r, "name"),
		Text: rapid.OneOf(rapid.String(), rapid.Just("a\x00b\xff"), rapid.Just(strings.Repeat("long ", 3000))).Draw(r, "text"),
	}
	got, receipt := m.h.Add(message)
	if err := receipt.Wait(context.Background()); err != nil {
		r.Fatal(err)
	}
	m.said[room] = append(m.said[room], got)
	if room != "" {
		m.quiet = append(slices.DeleteFunc(m.quiet, func(s string) bool { return s == room }), room)
	}
	for len(m.quiet) > 0 && len(m.said) > m.rooms {
		delete(m.said, m.quiet[0])
		m.quiet = m.quiet[1:]
	}
}

// check asks for a page, and compares it to what the list has.
func (m *model) check(r *rapid.T) {
	room := rapid.SampledFrom([]string{"", "a", "b", "c", "d", "room with a longer name ✓", "never"}).Draw(r, "room")
	limit := rapid.IntRange(1, 12).Draw(r, "limit")
	said := m.said[room]
	kept := said[max(0, len(said)-m.keep):]
	at := rapid.IntRange(0, len(kept)).Draw(r, "at")
	id := ""
	if at < len(kept) {
		id = kept[at].ID
	}
	if rapid.Bool().Draw(r, "up") {
		m.after(r, room, id, limit, kept, at)
	} else {
		m.before(r, room, id, limit, kept, at)
	}
}

func (m *model) after(r *rapid.T, room, id string, limit int, kept []history.Message, at int) {
	want := kept
	if id != "" {
		want = kept[at+1:]
	}
	more := len(want) > limit
	want = want[:min(limit, len(want))]
	got, gotMore, err := m.h.After(context.Background(), room, id, limit)
	requireEqual(r, got, want, gotMore, more, err)
}

func (m *model) before(r *rapid.T, room, id string, limit int, kept []history.Message, at int) {
	want := kept[:at]
	more := len(want) > limit
	want = want[max(0, len(want)-limit):]
	got, gotMore, err := m.h.Before(context.Background(), room, id, limit)
	requireEqual(r, got, want, gotMore, more, err)
}

func requireEqual(r *rapid.T, got, want []history.Message, gotMore, more bool, err error) {
	if err != nil || gotMore != more || !slices.Equal(got, want) {
		r.Fatalf("got %s, more %v, error %v\nwant %s, more %v", brief(got), gotMore, err, brief(want), more)
	}
}

func brief(messages []history.Message) (s []string) {
	for _, m := range messages {
		s = append(s, fmt.Sprintf("%s %q %q %.20q", m.ID, m.Room, m.Name, m.Text))
	}
	return s
}

func (m *model) restart(r *rapid.T, o history.Options) {
	if m.h != nil {
		if err := m.h.Close(context.Background()); err != nil {
			r.Fatal(err)
		}
	}
	h, err := history.Open(context.Background(), o)
	if err != nil || h.State() != history.Healthy {
		r.Fatalf("state %v, error %v", h.State(), err)
	}
	m.h = h
}

// expire has an hour go by, and removes what was said before it.
func (m *model) expire() {
	m.now = m.now.Add(time.Hour)
	m.h.Forward(m.now)
	m.h.SweepBefore(m.now)
	m.said, m.quiet = map[string][]history.Message{}, nil
}

func TestAllStoresBehaveAlike(t *testing.T) {
	for name, empty := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(r *rapid.T) {
				o := empty(r)
				o.Keep = rapid.IntRange(1, 15).Draw(r, "keep") // below 16 it is exact
				o.Rooms = rapid.IntRange(1, 6).Draw(r, "rooms")
				o.Tails = rapid.IntRange(1, 3).Draw(r, "tails")
				o.Pace, o.Logger, o.Fresh = time.Nanosecond, quiet, time.Nanosecond
				m := &model{keep: o.Keep, rooms: o.Rooms, now: time.Now(), said: map[string][]history.Message{}}
				if o.Store == history.StoreMemory { // ends with the process
					h, err := history.Open(context.Background(), o)
					if err != nil {
						r.Fatal(err)
					}
					m.h = h
				} else {
					m.restart(r, o)
				}
				defer func() { _ = m.h.Close(context.Background()) }()
				r.Repeat(map[string]func(*rapid.T){
					"say":   func(r *rapid.T) { m.say(r); m.h.Settle() },
					"say 2": func(r *rapid.T) { m.say(r); m.h.Settle() },
					"check": m.check,
					"restart": func(r *rapid.T) {
						if o.Store != history.StoreMemory {
							m.restart(r, o)
						}
					},
					"expire": func(*rapid.T) { m.expire() },
				})
			})
		})
	}
}
