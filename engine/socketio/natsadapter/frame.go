package natsadapter

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// A frame is one message of NATS:
//
//	format   1 byte  what follows is laid out so; others are refused
//	kind     1 byte  a cluster.Type, or one of those below
//	server   8 bytes who sends it
//	number   8 bytes how many the server has sent on this subject, with this one; 0 where
//	                 nobody counts
//	payload          of a cluster.Type, see appendMessage
//
// Numbers are big-endian where they are fixed, and unsigned varints where not.
const (
	format   = 0xF1
	headSize = 18
	numberAt = 10
	kindAt   = 1
)

// Kinds of frames that are not cluster.Types.
const (
	kindMark    = 200 + iota // how much its sender has sent; answered by kindReached
	kindReached              // the numbers of a mark that has come
	kindCounts               // how many frames its sender has sent on which subjects
	kindPart                 // of a message too long for one frame
	kindBatch                // of events, in JetStream
	kindAbsent               // its sender does not have this namespace, and answers nothing there
)

var (
	errFrame   = errors.New("natsadapter: malformed frame")
	errTooLong = errors.New("natsadapter: message longer than MaxMessage")
)

// head is what every frame begins with.
type head struct {
	kind   uint8
	server serverID
	number uint64
}

// serverID is what a server is called: its UID is that in hexadecimal.
type serverID uint64

// String is the id in hexadecimal, 16 digits.
func (id serverID) String() string { return fmt.Sprintf("%016x", uint64(id)) }

// appendHead appends a head whose number, if any, is set later.
func appendHead(dst []byte, kind uint8, server serverID) []byte {
	dst = append(dst, format, kind)
	dst = binary.BigEndian.AppendUint64(dst, uint64(server))
	return binary.BigEndian.AppendUint64(dst, 0)
}

func setNumber(frame []byte, n uint64) { binary.BigEndian.PutUint64(frame[numberAt:], n) }

// readHead splits a frame.
func readHead(frame []byte) (h head, payload []byte, err error) {
	if len(frame) < headSize || frame[0] != format {
		return h, nil, errFrame
	}
	h.kind = frame[kindAt]
	h.server = serverID(binary.BigEndian.Uint64(frame[2:]))
	h.number = binary.BigEndian.Uint64(frame[numberAt:])
	return h, frame[headSize:], nil
}

// newFrame returns m as a frame of server.
func newFrame(server serverID, m *cluster.Message) ([]byte, error) {
	dst := make([]byte, 0, headSize+sizeOf(m))
	return appendMessage(appendHead(dst, uint8(m.Type), server), m)
}
