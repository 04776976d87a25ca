package redisadapter

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// ErrBinary is what becomes of an event with binary arguments where
// StreamsOptions.OnlyPlaintext says that there are none.
var ErrBinary = errors.New("redisadapter: binary arguments, which StreamsOptions.OnlyPlaintext rules out")

// appendEntryData writes the field "data" of m's entry: JSON or, where something in it
// is binary, msgpack in base64.
func appendEntryData(dst []byte, m *cluster.Message, onlyPlaintext bool) ([]byte, error) {
	if len(m.Packet.Attachments) == 0 {
		return cluster.AppendData(dst, m), nil
	}
	if onlyPlaintext {
		return dst, ErrBinary
	}
	packed, err := parser.AppendMsgpack(nil, cluster.AppendData(nil, m), m.Packet.Attachments)
	if err != nil {
		return dst, fmt.Errorf("redisadapter: %w", err)
	}
	return base64.StdEncoding.AppendEncode(dst, packed), nil
}

// parseEntry reads an entry, with its id as the offset.
func parseEntry(e entry, most int) (*cluster.Message, error) {
	kind, err := strconv.ParseUint(e.kind, 10, 8)
	if err != nil || kind == 0 || len(e.uid) > maxUID || len(e.data) > most {
		return nil, cluster.ErrMalformed
	}
	data := []byte(e.data)
	var binaries [][]byte
	if len(data) > 0 && data[0] != '{' {
		packed, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(e.data, "="))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", cluster.ErrMalformed, err)
		}
		if data, binaries, err = parser.DecodeMsgpack(packed, cluster.Limits()); err != nil {
			return nil, fmt.Errorf("%w: %w", cluster.ErrMalformed, err)
		}
	}
	m, err := cluster.ParseData(cluster.Type(kind), data, binaries)
	if err != nil {
		return nil, err
	}
	m.UID, m.Offset = e.uid, e.id
	if e.seq != "" {
		if m.Sequence, err = strconv.ParseUint(e.seq, 10, 64); err != nil {
			return nil, fmt.Errorf("%w: %w", cluster.ErrMalformed, err)
		}
	}
	return m, nil
}

// maxUID bounds the name of a server: those of Node have 16 characters.
const maxUID = 512

// appendPacked writes m as it goes over pub/sub beside streams: always msgpack.
func appendPacked(dst []byte, m *cluster.Message, nsp string) ([]byte, error) {
	return parser.AppendMsgpack(dst, cluster.AppendJSON(nil, m, nsp), m.Packet.Attachments)
}

// appendText writes m as it goes over sharded pub/sub: JSON, unless something in it is
// binary.
func appendText(dst []byte, m *cluster.Message, nsp string) ([]byte, error) {
	if len(m.Packet.Attachments) > 0 {
		return appendPacked(dst, m, nsp)
	}
	return cluster.AppendJSON(dst, m, nsp), nil
}

// parseEither reads what appendPacked and appendText write.
func parseEither(b []byte, most int) (m *cluster.Message, nsp string, err error) {
	if len(b) > most {
		return nil, "", cluster.ErrMalformed
	}
	if len(b) > 0 && b[0] == '{' {
		return cluster.ParseJSON(b, nil)
	}
	text, binaries, err := parser.DecodeMsgpack(b, cluster.Limits())
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", cluster.ErrMalformed, err)
	}
	return cluster.ParseJSON(text, binaries)
}

// ephemeral reports whether m goes over pub/sub beside a stream rather than into it:
// what somebody waits for, and is worth nothing later. Node: isEphemeral.
func ephemeral(m *cluster.Message) bool {
	switch m.Type {
	case cluster.Broadcast:
		return m.RequestID != ""
	case cluster.SocketsJoin, cluster.SocketsLeave, cluster.DisconnectSockets:
		return false
	}
	return true
}
