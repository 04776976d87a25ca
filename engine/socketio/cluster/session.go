package cluster

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// Session is a socket in the store of a Log.
type Session struct {
	ID        string // of the socket
	PID       string // the client's key: a secret
	Namespace string // empty where Node has stored it
	Rooms     []string
	Data      map[string]json.RawMessage
	// Offset is up to where the client has received everything for certain; empty
	// where Node has stored it.
	Offset string
	// Owner is the UID of the adapter that has stored it, and Live says that its client
	// was connected then.
	Owner string
	Live  bool
	// Stored is when that was, by the owner's clock, in ns; 0 where Node has stored it.
	Stored int64
}

// AppendSession appends s as Node's streams adapter stores it, {"sid","pid","rooms","data"},
// where the socket's own room is one of the rooms; and behind that what only servers of
// this package know. Safe for concurrent use.
func AppendSession(dst []byte, s *Session) []byte {
	w := objectWriter{append(dst, '{'), false}
	w.text("sid", s.ID)
	w.text("pid", s.PID)
	w.key("rooms")
	w.b = appendStrings(w.b, append([]string{s.ID}, s.Rooms...))
	w.key("data")
	data := objectWriter{append(w.b, '{'), false}
	for _, name := range slices.Sorted(maps.Keys(s.Data)) {
		if v := s.Data[name]; sound(v) {
			data.b = append(appendKey(data.b, name, data.some), v...)
			data.some = true
		}
	}
	w.b = append(data.b, '}')
	for _, own := range [...]struct{ name, text string }{{"nsp", s.Namespace}, {"offset", s.Offset}, {"owner", s.Owner}} {
		if own.text != "" {
			w.text(own.name, own.text)
		}
	}
	if s.Live {
		w.bool("live", true)
	}
	if s.Stored > 0 {
		w.key("stored")
		w.b = strconv.AppendInt(w.b, s.Stored, 10)
	}
	return append(w.b, '}')
}

// ParseSession reads what AppendSession has written, or Node. Attachments become base64.
// The errors wrap ErrMalformed. Safe for concurrent use.
func ParseSession(b []byte, attachments [][]byte) (*Session, error) {
	if err := checkText(b, attachments); err != nil {
		return nil, err
	}
	s := new(Session)
	var err error
	list := parser.NewMembers(b)
	for key, v, ok := list.Next(); ok && err == nil; key, v, ok = list.Next() {
		switch string(key) {
		case "sid":
			s.ID, err = nameOf("sid", v)
		case "pid":
			s.PID, err = nameOf("pid", v)
		case "nsp":
			s.Namespace, err = nameOf("nsp", v)
		case "offset":
			s.Offset, err = nameOf("offset", v)
		case "owner":
			s.Owner, err = nameOf("owner", v)
		case "rooms":
			s.Rooms, err = roomsOf(v)
		case "data":
			s.Data, err = dataOf(v, attachments)
		case "live":
			s.Live = string(v) == "true"
		case "stored":
			s.Stored, _ = strconv.ParseInt(string(v), 10, 64)
		}
	}
	if err != nil {
		return nil, err
	}
	if s.ID == "" || s.PID == "" {
		return nil, malformed("session")
	}
	s.Rooms = slices.DeleteFunc(s.Rooms, func(r string) bool { return r == s.ID })
	return s, nil
}
