package cluster

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// roomsOf reads names of rooms. A number is the room of its text: Node has both. Where
// something else is one it is not safe to go on without it: that could mean everyone.
func roomsOf(array []byte) ([]string, error) {
	if len(array) == 0 || string(array) == "null" {
		return nil, nil
	}
	if array[0] != '[' {
		return nil, malformed("rooms")
	}
	var rooms []string
	list := parser.NewArgs(array)
	for v, ok := list.Next(); ok; v, ok = list.Next() {
		name, ok := textOf(v)
		switch {
		case len(rooms) == maxRooms:
			return nil, fmt.Errorf("%w: %w: rooms", ErrMalformed, ErrTooLarge)
		case ok:
		case v[0] == '-' || v[0] >= '0' && v[0] <= '9':
			name = string(v)
		default:
			return nil, malformed("room")
		}
		rooms = append(rooms, name)
	}
	return rooms, nil
}

func socketsOf(array []byte, attachments [][]byte) ([]socketio.SocketState, error) {
	if len(array) == 0 || array[0] != '[' {
		return nil, malformed("sockets")
	}
	var sockets []socketio.SocketState
	list := parser.NewArgs(array)
	for v, ok := list.Next(); ok; v, ok = list.Next() {
		if len(sockets) == maxSockets {
			return nil, fmt.Errorf("%w: %w: sockets", ErrMalformed, ErrTooLarge)
		}
		s, err := socketOf(v, attachments)
		if err != nil {
			return nil, err
		}
		sockets = append(sockets, s)
	}
	return sockets, nil
}

// ParseSocket reads what AppendSocket has written, or Node. Attachments become base64.
func ParseSocket(b []byte, attachments [][]byte) (s socketio.SocketState, err error) {
	if err := checkText(b, attachments); err != nil {
		return s, err
	}
	return socketOf(b, attachments)
}

func socketOf(object []byte, attachments [][]byte) (s socketio.SocketState, err error) {
	list := parser.NewMembers(object)
	for key, v, ok := list.Next(); ok && err == nil; key, v, ok = list.Next() {
		switch string(key) {
		case "id":
			s.ID, err = nameOf("id", v)
		case "handshake":
			s.Handshake = parseHandshake(v, attachments)
		case "rooms":
			s.Rooms, err = roomsOf(v)
		case "data":
			s.Data, err = dataOf(v, attachments)
		}
	}
	if err == nil && s.ID == "" {
		err = malformed("socket without id")
	}
	return s, err
}

func dataOf(object []byte, attachments [][]byte) (map[string]json.RawMessage, error) {
	data := make(map[string]json.RawMessage)
	list := parser.NewMembers(object)
	for key, v, ok := list.Next(); ok; key, v, ok = list.Next() {
		b, err := parser.AppendInlined(nil, v, attachments)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		data[string(key)] = b
	}
	return data, nil
}

// textOf returns the text of a JSON string.
func textOf(v []byte) (s string, ok bool) {
	if len(v) < 2 || v[0] != '"' {
		return "", false
	}
	raw := v[1 : len(v)-1]
	for _, c := range raw {
		if c == '\\' {
			return string(parser.AppendUnescaped(make([]byte, 0, len(raw)), raw)), true
		}
	}
	return string(raw), true
}

// nameOf is for texts that are kept, and so are short. null is none.
func nameOf(what string, v []byte) (string, error) {
	if string(v) == "null" {
		return "", nil
	}
	s, ok := textOf(v)
	if !ok || len(s) > maxName {
		return "", malformed(what)
	}
	return s, nil
}

func countOf(what string, v []byte) (int, error) {
	n, err := strconv.ParseUint(string(v), 10, 31)
	if err != nil {
		return 0, malformed(what)
	}
	return int(n), nil
}

func countsOf[N int | uint64](object []byte, most int) (map[string]N, error) {
	if len(object) == 0 || object[0] != '{' {
		return nil, malformed("counts")
	}
	counts := make(map[string]N)
	bits := 31
	if _, wide := any(counts).(map[string]uint64); wide {
		bits = 64
	}
	list := parser.NewMembers(object)
	for key, v, ok := list.Next(); ok; key, v, ok = list.Next() {
		n, err := strconv.ParseUint(string(v), 10, bits)
		if err != nil {
			return nil, malformed("count")
		}
		if counts[string(key)] = N(n); len(counts) > most {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, ErrTooLarge)
		}
	}
	return counts, nil
}
