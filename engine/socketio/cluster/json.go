package cluster

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// AppendJSON appends m as Node's ClusterAdapter says it in the namespace nsp, key for
// key: {"type","data","uid","nsp"}. Placeholders in it stand for m.Packet.Attachments;
// with any, what Node's servers read is [parser.AppendMsgpack] of it. Safe for
// concurrent use.
func AppendJSON(dst []byte, m *Message, nsp string) []byte {
	dst = append(dst, `{"type":`...)
	dst = strconv.AppendUint(dst, uint64(m.Type), 10)
	if m.hasData() {
		dst = AppendData(append(dst, `,"data":`...), m)
	}
	dst = parser.AppendString(append(dst, `,"uid":`...), m.UID)
	dst = parser.AppendString(append(dst, `,"nsp":`...), nsp)
	return append(dst, '}')
}

// hasData reports whether there is something to say besides the type.
func (m *Message) hasData() bool {
	return m.Type != InitialHeartbeat && m.Type != Heartbeat && m.Type != AdapterClose
}

// AppendData appends what AppendJSON has under "data"; {} where that is nothing.
func AppendData(dst []byte, m *Message) []byte {
	w := objectWriter{append(dst, '{'), false}
	switch m.Type {
	case Broadcast:
		w.key("packet")
		w.b = append(append(append(w.b, `{"type":2,"data":`...), m.Packet.JSON...), '}')
		w.requestID(m)
		w.opts(&m.Opts)
	case SocketsJoin, SocketsLeave:
		w.opts(&m.Opts)
		w.key("rooms")
		w.b = appendStrings(w.b, m.Rooms)
	case DisconnectSockets:
		w.opts(&m.Opts)
		w.key("close")
		w.b = strconv.AppendBool(w.b, m.Close)
	case FetchSockets, CountSockets:
		w.opts(&m.Opts)
		w.requestID(m)
	case FetchSocketsResponse:
		w.requestID(m)
		w.sockets(m.Sockets)
	case ServerSideEmit:
		w.requestID(m)
		w.key("packet")
		w.b = append(w.b, m.Packet.JSON...)
	case ServerSideEmitResponse, BroadcastAck:
		w.requestID(m)
		w.answer(m)
	case BroadcastClientCount, CountSocketsResponse, SessionSurrendered:
		w.requestID(m)
		w.key("clientCount")
		w.b = strconv.AppendInt(w.b, int64(m.Clients), 10)
	case RoomSizes:
		w.requestID(m)
	case RoomSizesResponse:
		w.requestID(m)
		w.key("sizes")
		w.b = appendCounts(w.b, m.Sizes)
	case SurrenderSession:
		w.requestID(m)
		w.text("pid", m.PID)
		if m.Sequence > 0 {
			w.key("stored")
			w.b = strconv.AppendUint(w.b, m.Sequence, 10)
		}
	case Tally:
		w.requestID(m)
		w.key("sent")
		w.b = appendCounts(w.b, m.Sent)
	}
	return append(w.b, '}')
}

// objectWriter writes one JSON object.
type objectWriter struct {
	b    []byte
	some bool // a member is there
}

// key begins a member. name needs no escapes.
func (w *objectWriter) key(name string) {
	if w.some {
		w.b = append(w.b, ',')
	}
	w.some = true
	w.b = append(append(append(w.b, '"'), name...), `":`...)
}

func (w *objectWriter) text(name, s string) {
	w.key(name)
	w.b = parser.AppendString(w.b, s)
}

func (w *objectWriter) bool(name string, v bool) {
	w.key(name)
	w.b = strconv.AppendBool(w.b, v)
}

// requestID is left out where there is none, as that says that nobody waits.
func (w *objectWriter) requestID(m *Message) {
	if m.RequestID != "" {
		w.text("requestId", m.RequestID)
	}
}

// answer writes the first value, and what only servers of this package say.
func (w *objectWriter) answer(m *Message) {
	list := parser.NewArgs(m.Packet.JSON)
	if first, ok := list.Next(); ok {
		w.key("packet")
		w.b = append(w.b, first...)
	}
	if m.SocketID != "" {
		w.text("socketId", m.SocketID)
	}
	if m.Failed != "" {
		w.text("failed", m.Failed)
	}
}

func (w *objectWriter) opts(o *Opts) {
	w.key("opts")
	w.b = appendStrings(append(w.b, `{"rooms":`...), o.Rooms)
	w.b = appendStrings(append(w.b, `,"except":`...), o.Except)
	w.b = AppendFlags(append(w.b, `,"flags":`...), o)
	w.b = append(w.b, '}')
}

// longestTimer is as long as a timer of JavaScript may be; a longer one ends at once.
const longestTimer = (1<<31 - 1) * time.Millisecond

// AppendFlags appends the flags of o as Node has them: only those that matter, because
// its servers ask whether they are there at all.
func AppendFlags(dst []byte, o *Opts) []byte {
	w := objectWriter{append(dst, '{'), false}
	if o.Flags.Volatile {
		w.bool("volatile", true)
	}
	if o.Flags.NoCompress {
		w.bool("compress", false)
	}
	if o.Single {
		w.bool("expectSingleResponse", true)
	}
	if o.Timeout > 0 {
		w.key("timeout")
		ms := (min(o.Timeout, longestTimer) + time.Millisecond - 1) / time.Millisecond
		w.b = strconv.AppendInt(w.b, int64(ms), 10)
	}
	return append(w.b, '}')
}

func (w *objectWriter) sockets(list []socketio.SocketState) {
	w.key("sockets")
	w.b = append(w.b, '[')
	for i := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = AppendSocket(w.b, &list[i])
	}
	w.b = append(w.b, ']')
}

// AppendSocket appends s as Node's servers know it: {"id","handshake","rooms","data"}.
// What is no sound JSON in it, or looks like the placeholder of an attachment, is left
// out: a client could have written it.
func AppendSocket(dst []byte, s *socketio.SocketState) []byte {
	w := objectWriter{append(dst, '{'), false}
	w.text("id", s.ID)
	w.key("handshake")
	w.b = AppendHandshake(w.b, s.Handshake)
	w.key("rooms")
	w.b = appendStrings(w.b, s.Rooms)
	w.key("data")
	data := objectWriter{append(w.b, '{'), false}
	for _, name := range slices.Sorted(maps.Keys(s.Data)) {
		if v := s.Data[name]; sound(v) {
			data.b = appendKey(data.b, name, data.some)
			data.b = append(data.b, v...)
			data.some = true
		}
	}
	return append(data.b, '}', '}')
}

// sound reports whether v can stand in a message.
func sound(v []byte) bool {
	return parser.Check(v, &parser.Limits{Depth: maxDepth / 2}) == nil && parser.CheckPlaceholders(v, 0) == nil
}

func appendKey(dst []byte, name string, some bool) []byte {
	if some {
		dst = append(dst, ',')
	}
	return append(parser.AppendString(dst, name), ':')
}

func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = parser.AppendString(dst, s)
	}
	return append(dst, ']')
}

// appendCounts writes the names in order, so that the same says the same.
func appendCounts[N int | uint64](dst []byte, counts map[string]N) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(counts)) {
		dst = appendKey(dst, name, i > 0)
		dst = strconv.AppendUint(dst, uint64(counts[name]), 10)
	}
	return append(dst, '}')
}
