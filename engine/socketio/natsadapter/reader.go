package natsadapter

import (
	"encoding/binary"
	"encoding/json"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// reader reads what another server has written. After the first thing that is not as it
// should be, everything is empty, and end tells.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() {
	r.b, r.bad = nil, true
}

// end reports whether all was well, and all was read.
func (r *reader) end() error {
	if r.bad || len(r.b) > 0 {
		return errFrame
	}
	return nil
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

// below is a number that is less than bound.
func (r *reader) below(bound uint64) int {
	v := r.number()
	if v >= bound {
		r.fail()
		return 0
	}
	return int(v) //nolint:gosec // below bound, which is below 1<<63
}

// text refers to what was read.
func (r *reader) text() []byte {
	n := r.number()
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	t := r.b[:n:n]
	r.b = r.b[n:]
	return t
}

// count is the length of a list of at most so many entries, of so many bytes at least.
func (r *reader) count(most, size int) int {
	n := r.number()
	if n > uint64(most) || n*uint64(size) > uint64(len(r.b)) { //nolint:gosec // both are small
		r.fail()
		return 0
	}
	return int(n) //nolint:gosec // not more than most
}

func (r *reader) texts() []string {
	list := make([]string, r.count(maxNames, 1))
	for i := range list {
		list[i] = string(r.text())
	}
	return list
}

func (r *reader) sockets() []socketio.SocketState {
	n := r.count(maxEntries, 4)
	sockets := make([]socketio.SocketState, 0, n)
	for range n {
		s := socketio.SocketState{ID: string(r.text()), Rooms: r.texts()}
		for range r.count(maxNames, 2) {
			if s.Data == nil {
				s.Data = make(map[string]json.RawMessage)
			}
			name, value := string(r.text()), r.text()
			if !json.Valid(value) {
				r.fail()
			}
			s.Data[name] = json.RawMessage(value)
		}
		if h := r.text(); len(h) > 0 {
			s.Handshake = new(socketio.Handshake)
			if json.Unmarshal(h, s.Handshake) != nil {
				r.fail()
			}
		}
		if r.bad {
			return nil
		}
		sockets = append(sockets, s)
	}
	return sockets
}
