package redisadapter

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// maxSession bounds what is read of one session, in bytes of base64; Node has no bound.
const maxSession = 4 << 20

var errSession = errors.New("redisadapter: malformed session")

// session is a socket that may come back, with the names and in the order of Node's
// adapter, but for the last: Node's servers ignore it.
type session struct {
	SID    string          `json:"sid"`
	PID    string          `json:"pid"`
	Rooms  []string        `json:"rooms"`
	Data   json.RawMessage `json:"data"`
	Offset string          `json:"offset,omitempty"`
}

// appendSession writes a socket as Node's adapter does: msgpack in base64. A value that
// looks like the placeholder of an attachment, which a client could have written, is
// left out.
func appendSession(dst []byte, s *socketio.SessionState) ([]byte, error) {
	sound := make(map[string]json.RawMessage, len(s.Data))
	for name, v := range s.Data {
		if parser.Check(v, nil) == nil && parser.CheckPlaceholders(v, 0) == nil {
			sound[name] = v
		}
	}
	data, err := json.Marshal(sound)
	if err != nil {
		return dst, err
	}
	text, err := json.Marshal(session{s.ID, s.PID, append([]string{s.ID}, s.Rooms...), data, s.Offset})
	if err != nil {
		return dst, err
	}
	packed, err := parser.AppendMsgpack(nil, text, nil)
	if err != nil {
		return dst, err
	}
	return base64.StdEncoding.AppendEncode(dst, packed), nil
}

// parseSession reads what appendSession or Node has written.
func parseSession(text string) (*socketio.SessionState, error) {
	if len(text) > maxSession {
		return nil, errSession
	}
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errSession
	}
	value, binaries, err := parser.DecodeMsgpack(packed, nil)
	if err != nil {
		return nil, errSession
	}
	if value, err = parser.AppendInlined(nil, value, binaries); err != nil {
		return nil, errSession
	}
	var in struct {
		session
		Rooms []room `json:"rooms"`
	}
	if json.Unmarshal(value, &in) != nil || in.SID == "" || in.PID == "" {
		return nil, errSession
	}
	s := &socketio.SessionState{ID: in.SID, PID: in.PID, Offset: in.Offset}
	for _, r := range in.Rooms {
		if string(r) != in.SID && !slices.Contains(s.Rooms, string(r)) {
			s.Rooms = append(s.Rooms, string(r))
		}
	}
	// A value that is no object is nothing that a Socket here could have.
	if json.Unmarshal(in.Data, &s.Data) != nil {
		s.Data = nil
	}
	return s, nil
}

// room is a room's name, which is a number where Node's application says so.
type room string

func (r *room) UnmarshalJSON(b []byte) error {
	if b[0] != '"' {
		if _, err := strconv.ParseFloat(string(b), 64); err != nil {
			return err
		}
		*r = room(b)
		return nil
	}
	return json.Unmarshal(b, (*string)(r))
}

// milliseconds is a duration as Redis has it: at least one.
func milliseconds(d time.Duration) string {
	return strconv.FormatInt(max(d.Milliseconds(), 1), 10)
}
