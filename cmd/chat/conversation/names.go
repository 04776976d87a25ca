package conversation

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fanfare-go/fanfare/cmd/chat/auth"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// checkedName returns a name as it is kept: spaces around it are not, and what cannot be seen is refused.
func checkedName(name string) (string, error) {
	name = strings.TrimSpace(name)
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return "", refuse("a name needs at least one character")
	case n > MaxNameRunes:
		return "", refuse("a name has 32 characters at most")
	case strings.ContainsFunc(name, invisible):
		return "", refuse("a name consists of characters that can be seen")
	}
	return name, nil
}

// checkedRoom is checkedName for rooms. The name of a socket is no room: who joined it would read what is meant for one.
func (c *Conversation) checkedRoom(room string) (string, error) {
	room = strings.TrimSpace(room)
	switch n := utf8.RuneCountInString(room); {
	case n == 0:
		return "", refuse("which room? everybody is in the lobby anyway")
	case n > MaxRoomRunes || len(room) > socketio.MaxRoomName:
		return "", refuse("a room's name has 64 characters at most")
	case strings.ContainsFunc(room, invisible):
		return "", refuse("a room's name consists of characters that can be seen")
	case room == watchers:
		return "", refuse("this name is reserved")
	}
	if _, is := c.server.Socket(room); is {
		return "", refuse("this name is reserved")
	}
	return room, nil
}

// invisible reports whether a rune has no place in a name. The marks that reorder text (bidi) are controls of the
// category Cf; of those, the joiners of emoji and of several scripts stay.
func invisible(r rune) bool {
	const joiner, nonJoiner = '\u200d', '\u200c'
	return !unicode.IsPrint(r) && r != joiner && r != nonJoiner
}

// person is what the conversation knows of somebody who has said something. It is immutable.
type person struct {
	Person
	user string // of whom a token speaks
	meta string // `,"from":"…","user":"…","name":"…"`, for replies
}

var (
	persons   = socketio.NewKey[*person]()            // who wrote or chose a name
	chosen    = socketio.NewSharedKey[string]("name") // the name that was chosen, wherever the client is next
	tagDigits = base32.NewEncoding("abcdefghjkmnpqrstuvwxyz023456789").WithPadding(base32.NoPadding)
)

// tagOf is the id of a socket that others are told, the same on every server: whoever knew the real one could join the
// socket's own room. Nobody finds that by trying, as it has 120 random bits.
func tagOf(s *socketio.Socket) string {
	h := sha256.Sum256([]byte(s.ID()))
	return tagDigits.EncodeToString(h[:5])
}

// nameOf returns who is at the other end, and stores nothing.
func nameOf(s *socketio.Socket) Person {
	p := Person{ID: tagOf(s)}
	if p.Name = auth.Of(s).Name; p.Name != "" {
		return p
	}
	if known := persons.Get(s); known != nil {
		return known.Person
	}
	if p.Name = chosen.Get(s); p.Name == "" {
		p.Name = "Guest-" + p.ID[:4]
	}
	return p
}

// speaker returns who writes, and remembers what replies say of it.
func speaker(s *socketio.Socket) *person {
	who, known := auth.Of(s), persons.Get(s)
	if known != nil && known.user == who.Subject && (who.Name == "" || who.Name == known.Name) {
		return known
	}
	name := nameOf(s)
	return remember(s, name, who.Subject)
}

func remember(s *socketio.Socket, who Person, user string) *person {
	p := &person{Person: who, user: user}
	p.meta = `,"from":` + quoted(p.ID)
	if user != "" {
		p.meta += `,"user":` + quoted(user)
	}
	p.meta += `,"name":` + quoted(p.Name)
	persons.Set(s, p)
	return p
}

// quoted is a string in JSON.
func quoted(s string) string {
	b, _ := json.Marshal(s) // no string fails
	return string(b)
}

// rename is the handler of SetName.
func (c *Conversation) rename(s *socketio.Socket, name string) (Person, error) {
	who := auth.Of(s)
	if who.Name != "" {
		return Person{}, refuse("your name is the one you are logged in with")
	}
	name, err := checkedName(name)
	if err != nil {
		return Person{}, err
	}
	p := remember(s, Person{ID: tagOf(s), Name: name}, who.Subject)
	chosen.Set(s, name)
	c.crowds.renamed(s)
	return p.Person, nil
}
