package history

import (
	"encoding/binary"
	"errors"

	"github.com/oklog/ulid/v2"
)

// recordVersion is the first byte of a record; another form would have another one.
const recordVersion = 1

var errRecord = errors.New("history: a record in the store is damaged")

// appendRecord appends a message as the file has it, without what its place says (room
// and ID): the version, the lengths of user and name, user, name, text.
func appendRecord(b []byte, m *Message) []byte {
	if b == nil {
		b = make([]byte, 0, 1+2*binary.MaxVarintLen32+len(m.User)+len(m.Name)+len(m.Text))
	}
	b = append(b, recordVersion)
	b = binary.AppendUvarint(b, uint64(len(m.User)))
	b = binary.AppendUvarint(b, uint64(len(m.Name)))
	b = append(b, m.User...)
	b = append(b, m.Name...)
	return append(b, m.Text...)
}

// parseRecord reads what appendRecord wrote. The message has copies of the bytes.
func parseRecord(room string, key, b []byte) (Message, error) {
	if len(key) != len(ulid.ULID{}) || len(b) == 0 || b[0] != recordVersion {
		return Message{}, errRecord
	}
	user, rest, ok := length(b[1:])
	if !ok {
		return Message{}, errRecord
	}
	name, rest, ok := length(rest)
	if !ok || user > uint64(len(rest)) || name > uint64(len(rest))-user {
		return Message{}, errRecord
	}
	id, all := ulid.ULID(key), string(rest)
	return Message{
		ID: id.String(), Room: room, At: timeOf(id),
		User: all[:user], Name: all[user : user+name], Text: all[user+name:],
	}, nil
}

func length(b []byte) (n uint64, rest []byte, ok bool) {
	n, size := binary.Uvarint(b)
	if size <= 0 {
		return 0, nil, false
	}
	return n, b[size:], true
}
