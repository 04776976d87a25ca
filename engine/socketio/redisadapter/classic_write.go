package redisadapter

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// What servers of @socket.io/redis-adapter ask of each other, under "type". Answers have
// the type of what was asked, or none.
const (
	classicSockets      = 0 // answered by {requestId, sockets: ids}; nobody asks that any more
	classicAllRooms     = 1 // answered by {requestId, rooms}
	classicJoin         = 2
	classicLeave        = 3
	classicDisconnect   = 4
	classicFetch        = 5 // answered by {requestId, sockets}
	classicServerSide   = 6 // answered by {type, requestId, data}
	classicBroadcast    = 7 // with acknowledgements; answered by both of these
	classicClientCount  = 8
	classicBroadcastAck = 9
)

// classicTypes are the same of this package's messages; what is not among them is not
// said in this Mode, but for those that have the same number everywhere.
var classicTypes = map[cluster.Type]uint64{
	cluster.SocketsJoin:            classicJoin,
	cluster.SocketsLeave:           classicLeave,
	cluster.DisconnectSockets:      classicDisconnect,
	cluster.FetchSockets:           classicFetch,
	cluster.FetchSocketsResponse:   classicFetch,
	cluster.ServerSideEmit:         classicServerSide,
	cluster.ServerSideEmitResponse: classicServerSide,
	cluster.Broadcast:              classicBroadcast,
	cluster.BroadcastClientCount:   classicClientCount,
	cluster.BroadcastAck:           classicBroadcastAck,
	cluster.Tally:                  uint64(cluster.Tally),
}

// scratch is where messages are written before their length is known.
var scratch = sync.Pool{New: func() any { return new([2][]byte) }}

// maxScratch bytes are kept of what a message was written to.
const maxScratch = 1 << 20

// classicBody returns the bytes of m, which are the caller's.
func classicBody(m *cluster.Message, nsp string) ([]byte, error) {
	s := scratch.Get().(*[2][]byte)
	defer func() {
		if cap(s[0])+cap(s[1]) <= maxScratch {
			scratch.Put(s)
		}
	}()
	text, err := appendClassic(s[0][:0], m, nsp)
	if err != nil {
		return nil, err
	}
	s[0] = text
	if !isPacked(m) {
		return bytes.Clone(text), nil
	}
	packed, err := parser.AppendMsgpack(s[1][:0], text, m.Packet.Attachments)
	if err != nil {
		return nil, fmt.Errorf("redisadapter: %w", err)
	}
	s[1] = packed
	return bytes.Clone(packed), nil
}

// isPacked reports whether m is said in msgpack, rather than in JSON.
func isPacked(m *cluster.Message) bool {
	return m.Type == cluster.Broadcast || m.Type == cluster.BroadcastAck
}

// appendClassic appends m as JSON with placeholders, key for key as Node has it.
func appendClassic(dst []byte, m *cluster.Message, nsp string) ([]byte, error) {
	if m.Type == cluster.Broadcast && m.RequestID == "" {
		return appendClassicBroadcast(dst, m, nsp), nil
	}
	kind, ok := classicTypes[m.Type]
	if !ok {
		return dst, fmt.Errorf("redisadapter: Classic has no message of type %d", m.Type)
	}
	w := classicWriter{append(dst, '{')}
	switch m.Type {
	case cluster.FetchSocketsResponse:
		w.text("requestId", m.RequestID)
		w.key("sockets")
		w.b = cluster.AppendSockets(w.b, m.Sockets)
	case cluster.ServerSideEmitResponse, cluster.BroadcastClientCount, cluster.BroadcastAck:
		w.number("type", kind)
		w.text("requestId", m.RequestID)
		if err := w.answer(m); err != nil {
			return dst, err
		}
	default:
		w.text("uid", m.UID)
		if m.RequestID != "" {
			w.text("requestId", m.RequestID)
		}
		w.number("type", kind)
		if err := w.request(m, nsp); err != nil {
			return dst, err
		}
	}
	return append(w.b, '}'), nil
}

// appendClassicBroadcast appends what goes to the channels of broadcasts: an array.
func appendClassicBroadcast(dst []byte, m *cluster.Message, nsp string) []byte {
	dst = parser.AppendString(append(dst, '['), m.UID)
	dst = appendPacket(append(dst, ','), m, nsp)
	dst = appendOpts(append(dst, ','), &m.Opts)
	return append(dst, ']')
}

func appendPacket(dst []byte, m *cluster.Message, nsp string) []byte {
	dst = append(append(dst, `{"type":2,"data":`...), m.Packet.JSON...)
	dst = parser.AppendString(append(dst, `,"nsp":`...), nsp)
	return append(dst, '}')
}

// appendOpts appends who is meant, and how.
func appendOpts(dst []byte, o *cluster.Opts) []byte {
	dst = appendWho(dst, o)
	dst = cluster.AppendFlags(append(dst, `,"flags":`...), o)
	return append(dst, '}')
}

// appendWho appends what appendOpts begins with: all that most requests have.
func appendWho(dst []byte, o *cluster.Opts) []byte {
	dst = cluster.AppendStrings(append(dst, `{"rooms":`...), o.Rooms)
	return cluster.AppendStrings(append(dst, `,"except":`...), o.Except)
}

// classicWriter writes the members of one object.
type classicWriter struct{ b []byte }

func (w *classicWriter) key(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(append(append(w.b, '"'), name...), '"', ':')
}

func (w *classicWriter) text(name, s string) {
	w.key(name)
	w.b = parser.AppendString(w.b, s)
}

func (w *classicWriter) number(name string, n uint64) {
	w.key(name)
	w.b = strconv.AppendUint(w.b, n, 10)
}

// request writes what belongs to the type.
func (w *classicWriter) request(m *cluster.Message, nsp string) (err error) {
	switch m.Type {
	case cluster.Tally:
		w.key("sent")
		w.b = cluster.AppendSent(w.b, m.Sent)
		return nil
	case cluster.ServerSideEmit:
		w.key("data")
		w.b, err = parser.AppendBuffers(w.b, m.Packet.JSON, m.Packet.Attachments)
		return err
	case cluster.Broadcast:
		w.key("packet")
		w.b = appendPacket(w.b, m, nsp)
		w.key("opts")
		w.b = appendOpts(w.b, &m.Opts)
		return nil
	}
	w.key("opts")
	w.b = append(appendWho(w.b, &m.Opts), '}')
	switch m.Type {
	case cluster.SocketsJoin, cluster.SocketsLeave:
		w.key("rooms")
		w.b = cluster.AppendStrings(w.b, m.Rooms)
	case cluster.DisconnectSockets:
		w.key("close")
		w.b = strconv.AppendBool(w.b, m.Close)
	}
	return nil
}

// answer writes the value of an answer, of which there is one.
func (w *classicWriter) answer(m *cluster.Message) (err error) {
	if m.Type == cluster.BroadcastClientCount {
		w.number("clientCount", uint64(max(m.Clients, 0)))
		return nil
	}
	values := parser.NewArgs(m.Packet.JSON)
	first, ok := values.Next()
	switch {
	case !ok: // undefined, which JSON leaves out
	case m.Type == cluster.BroadcastAck:
		w.key("packet")
		w.b = append(w.b, first...)
	default:
		w.key("data")
		w.b, err = parser.AppendBuffers(w.b, first, m.Packet.Attachments)
	}
	if m.SocketID != "" { // this and the next are for servers of this package only
		w.text("socketId", m.SocketID)
	}
	if m.Failed != "" {
		w.text("failed", m.Failed)
	}
	return err
}
