package natsadapter

import (
	"encoding/binary"
	"encoding/json"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// The fields of a message: a set says which follow it, in this order. An empty field does
// not. A text is its length and its bytes, a list how many and each.
const (
	hasRequest     = 1 << iota // text
	hasJSON                    // text
	hasAttachments             // list of texts
	hasTargets                 // list of texts: Opts.Rooms
	hasExcept                  // list of texts
	isVolatile                 // nothing follows
	isLocal                    // nothing follows
	isNoCompress               // nothing follows
	hasTimeout                 // number of ns
	isSingle                   // nothing follows
	hasRooms                   // list of texts
	isClose                    // nothing follows
	hasSockets                 // list of: id, rooms, data as a list of name and JSON, handshake as JSON
	hasClients                 // number
	hasSizes                   // list of text and number
	hasSent                    // list of text and number
	hasSocket                  // text
	hasFailed                  // text
	hasSequence                // number
	hasPID                     // text
	allFields      = 1<<iota - 1
)

// Bounds on lists that others declare, beyond that they must fit into what has come: an
// entry of a byte or two on the wire is many in memory.
const (
	maxNames       = 16_384    // rooms of one list
	maxAttachments = 65_536    //
	maxEntries     = 1_000_000 // of sockets, sizes and counts
)

// fieldsOf returns which fields m has.
func fieldsOf(m *cluster.Message) (set uint64) {
	mark := func(bit uint64, there bool) {
		if there {
			set |= bit
		}
	}
	mark(hasRequest, m.RequestID != "")
	mark(hasJSON, len(m.Packet.JSON) > 0)
	mark(hasAttachments, len(m.Packet.Attachments) > 0)
	mark(hasTargets, len(m.Opts.Rooms) > 0)
	mark(hasExcept, len(m.Opts.Except) > 0)
	mark(isVolatile, m.Opts.Flags.Volatile)
	mark(isLocal, m.Opts.Flags.Local)
	mark(isNoCompress, m.Opts.Flags.NoCompress)
	mark(hasTimeout, m.Opts.Timeout > 0)
	mark(isSingle, m.Opts.Single)
	mark(hasRooms, len(m.Rooms) > 0)
	mark(isClose, m.Close)
	mark(hasSockets, len(m.Sockets) > 0)
	mark(hasClients, m.Clients > 0)
	mark(hasSizes, len(m.Sizes) > 0)
	mark(hasSent, len(m.Sent) > 0)
	mark(hasSocket, m.SocketID != "")
	mark(hasFailed, m.Failed != "")
	mark(hasSequence, m.Sequence != 0)
	mark(hasPID, m.PID != "")
	return set
}

// sizeOf is about how many bytes m takes: exactly or a little more, but for Sockets.
func sizeOf(m *cluster.Message) int {
	const number = binary.MaxVarintLen32
	n := 8*number + len(m.RequestID) + len(m.Packet.JSON) + len(m.SocketID) + len(m.Failed) + len(m.PID)
	for _, a := range m.Packet.Attachments {
		n += number + len(a)
	}
	for _, names := range [...][]string{m.Opts.Rooms, m.Opts.Except, m.Rooms} {
		for _, name := range names {
			n += number + len(name)
		}
	}
	return n + 16*len(m.Sizes) + 16*len(m.Sent) + 512*len(m.Sockets)
}

// appendMessage appends the payload of m.
func appendMessage(b []byte, m *cluster.Message) (_ []byte, err error) {
	set := fieldsOf(m)
	has := func(bit uint64) bool { return set&bit != 0 }
	b = binary.AppendUvarint(b, set)
	if has(hasRequest) {
		b = appendText(b, m.RequestID)
	}
	if has(hasJSON) {
		b = appendText(b, m.Packet.JSON)
	}
	if has(hasAttachments) {
		b = binary.AppendUvarint(b, uint64(len(m.Packet.Attachments)))
		for _, a := range m.Packet.Attachments {
			b = appendText(b, a)
		}
	}
	if has(hasTargets) {
		b = appendTexts(b, m.Opts.Rooms)
	}
	if has(hasExcept) {
		b = appendTexts(b, m.Opts.Except)
	}
	if has(hasTimeout) {
		b = binary.AppendUvarint(b, uint64(m.Opts.Timeout))
	}
	if has(hasRooms) {
		b = appendTexts(b, m.Rooms)
	}
	if has(hasSockets) {
		if b, err = appendSockets(b, m.Sockets); err != nil {
			return nil, err
		}
	}
	if has(hasClients) {
		b = binary.AppendUvarint(b, uint64(m.Clients)) //nolint:gosec // more than 0
	}
	if has(hasSizes) {
		b = binary.AppendUvarint(b, uint64(len(m.Sizes)))
		for room, n := range m.Sizes {
			b = binary.AppendUvarint(appendText(b, room), uint64(max(n, 0))) //nolint:gosec // not below 0
		}
	}
	if has(hasSent) {
		b = binary.AppendUvarint(b, uint64(len(m.Sent)))
		for lane, n := range m.Sent {
			b = binary.AppendUvarint(appendText(b, lane), n)
		}
	}
	if has(hasSocket) {
		b = appendText(b, m.SocketID)
	}
	if has(hasFailed) {
		b = appendText(b, m.Failed)
	}
	if has(hasSequence) {
		b = binary.AppendUvarint(b, m.Sequence)
	}
	if has(hasPID) {
		b = appendText(b, m.PID)
	}
	return b, nil
}

func appendText[T ~string | ~[]byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTexts(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}

func appendSockets(b []byte, sockets []socketio.SocketState) ([]byte, error) {
	b = binary.AppendUvarint(b, uint64(len(sockets)))
	for i := range sockets {
		s := &sockets[i]
		b = appendTexts(appendText(b, s.ID), s.Rooms)
		b = binary.AppendUvarint(b, uint64(len(s.Data)))
		for name, value := range s.Data {
			b = appendText(appendText(b, name), value)
		}
		var handshake []byte
		if s.Handshake != nil {
			var err error
			if handshake, err = json.Marshal(s.Handshake); err != nil {
				return nil, err
			}
		}
		b = appendText(b, handshake)
	}
	return b, nil
}

// readMessage reads a payload into m, which refers to it then. Lists are made anew: those of
// rooms may be kept by whoever is given m.
func readMessage(m *cluster.Message, kind uint8, payload []byte) error {
	r := reader{b: payload}
	*m = cluster.Message{Type: cluster.Type(kind)}
	set := r.number()
	if set > allFields {
		return errFrame
	}
	has := func(bit uint64) bool { return set&bit != 0 }
	m.Opts.Flags = socketio.Flags{Volatile: has(isVolatile), Local: has(isLocal), NoCompress: has(isNoCompress)}
	m.Opts.Single, m.Close = has(isSingle), has(isClose)
	if has(hasRequest) {
		m.RequestID = string(r.text())
	}
	if has(hasJSON) {
		m.Packet.JSON = r.text()
	}
	if has(hasAttachments) {
		m.Packet.Attachments = make([][]byte, r.count(maxAttachments, 1))
		for i := range m.Packet.Attachments {
			m.Packet.Attachments[i] = r.text()
		}
	}
	if has(hasTargets) {
		m.Opts.Rooms = r.texts()
	}
	if has(hasExcept) {
		m.Opts.Except = r.texts()
	}
	if has(hasTimeout) {
		m.Opts.Timeout = time.Duration(r.below(1 << 62))
	}
	if has(hasRooms) {
		m.Rooms = r.texts()
	}
	if has(hasSockets) {
		m.Sockets = r.sockets()
	}
	if has(hasClients) {
		m.Clients = r.below(1 << 31)
	}
	if has(hasSizes) {
		m.Sizes = make(map[string]int)
		for range r.count(maxEntries, 2) {
			room := string(r.text())
			m.Sizes[room] = r.below(1 << 31)
		}
	}
	if has(hasSent) {
		m.Sent = make(map[string]uint64)
		for range r.count(maxEntries, 2) {
			lane := string(r.text())
			m.Sent[lane] = r.number()
		}
	}
	if has(hasSocket) {
		m.SocketID = string(r.text())
	}
	if has(hasFailed) {
		m.Failed = string(r.text())
	}
	if has(hasSequence) {
		m.Sequence = r.number()
	}
	if has(hasPID) {
		m.PID = string(r.text())
	}
	return r.end()
}
