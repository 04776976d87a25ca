package redisadapter

import (
	"fmt"
	"strconv"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// readClassicBroadcast reads what came on a channel of broadcasts, and returns it with
// its namespace. m refers to b. Everything else than what Node's classic adapter and
// emitters write is refused, above all the maps that Node's streams adapter writes to a
// channel of the same name.
func readClassicBroadcast(b []byte, limits *parser.Limits) (m *cluster.Message, nsp string, err error) {
	text, attachments, err := parser.DecodeMsgpack(b, limits)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", cluster.ErrMalformed, err)
	}
	var parts [3][]byte
	list := parser.NewArgs(text)
	for i := range parts {
		parts[i], _ = list.Next()
	}
	if _, more := list.Next(); more || len(parts[2]) == 0 {
		return nil, "", malformed("no array of three")
	}
	uid, err := cluster.ParseName(parts[0])
	if err != nil {
		return nil, "", err
	}
	m = &cluster.Message{Type: cluster.Broadcast, UID: uid}
	if nsp, err = readPacket(m, parts[1], attachments); err != nil {
		return nil, "", err
	}
	return m, nsp, m.Opts.Parse(parts[2])
}

// readPacket reads {type, data, nsp}. Old emitters say no namespace and mean the main one.
func readPacket(m *cluster.Message, packet []byte, attachments [][]byte) (nsp string, err error) {
	nsp = "/"
	list := parser.NewMembers(packet)
	for key, v, ok := list.Next(); ok; key, v, ok = list.Next() {
		if string(key) == "nsp" && string(v) != "null" {
			if nsp, ok = cluster.ParseText(v); !ok {
				return "", malformed("nsp")
			}
		}
	}
	return nsp, m.Packet.ParseEvent(packet, attachments)
}

func malformed(what string) error { return fmt.Errorf("%w: %s", cluster.ErrMalformed, what) }

// classicRequest is what came on the channel of requests. m is nil where it has a kind
// that this package has no message for: those of old servers.
type classicRequest struct {
	m    *cluster.Message
	nsp  string // of a packet; empty where there is none
	kind int
	uid  string
	id   string // of the request
	// rooms, sid and room are those of old requests.
	rooms     []string
	sid, room string
	close     bool
}

// unpack returns what b says as JSON, proven to be an object.
func unpack(b []byte, limits *parser.Limits) (object []byte, attachments [][]byte, err error) {
	if len(b) > 0 && b[0] == '{' {
		object, err = b, parser.Check(b, limits)
	} else {
		object, attachments, err = parser.DecodeMsgpack(b, limits)
	}
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", cluster.ErrMalformed, err)
	case object[0] != '{':
		return nil, nil, malformed("no object")
	}
	return object, attachments, nil
}

// classicMembers are those that messages may have, as they were found.
type classicMembers struct {
	kind, opts, rooms, sid, room, data, packet, sent, sockets, count []byte
	uid, id, socketID, failed                                        string
	close                                                            bool
}

func readMembers(object []byte) (f classicMembers, err error) {
	list := parser.NewMembers(object)
	for key, v, ok := list.Next(); ok && err == nil; key, v, ok = list.Next() {
		switch string(key) {
		case "type":
			f.kind = v
		case "uid":
			f.uid, err = cluster.ParseName(v)
		case "requestId":
			f.id, err = cluster.ParseName(v)
		case "socketId":
			f.socketID, err = cluster.ParseName(v)
		case "failed":
			f.failed, err = cluster.ParseName(v)
		case "opts":
			f.opts = v
		case "rooms":
			f.rooms = v
		case "sid":
			f.sid = v
		case "room":
			f.room = v
		case "data":
			f.data = v
		case "packet":
			f.packet = v
		case "sent":
			f.sent = v
		case "sockets":
			f.sockets = v
		case "clientCount":
			f.count = v
		case "close":
			f.close = string(v) == "true"
		}
	}
	return f, err
}

// readClassicRequest reads a request, in JSON or in msgpack. What it returns refers to b.
func readClassicRequest(b []byte, limits *parser.Limits) (r classicRequest, err error) {
	object, attachments, err := unpack(b, limits)
	if err != nil {
		return r, err
	}
	f, err := readMembers(object)
	if err != nil {
		return r, err
	}
	kind, err := strconv.ParseUint(string(f.kind), 10, 8)
	if err != nil {
		return r, malformed("type")
	}
	r = classicRequest{kind: int(kind), uid: f.uid, id: f.id, close: f.close}
	switch r.kind {
	case classicSockets, classicAllRooms:
		r.rooms, err = cluster.ParseRooms(f.rooms)
	case classicJoin, classicLeave, classicDisconnect:
		if len(f.opts) == 0 || string(f.opts) == "null" {
			return r, r.readOld(&f)
		}
		r.m, err = readMoving(&f, r.kind)
	case classicFetch:
		r.m = &cluster.Message{Type: cluster.FetchSockets}
		err = r.m.Opts.Parse(f.opts)
	case classicServerSide:
		r.m = &cluster.Message{Type: cluster.ServerSideEmit}
		err = r.m.Packet.ParseArray(f.data, attachments)
	case classicBroadcast:
		r.m = &cluster.Message{Type: cluster.Broadcast}
		if r.nsp, err = readPacket(r.m, f.packet, attachments); err == nil {
			err = r.m.Opts.Parse(f.opts)
		}
	case int(cluster.Tally):
		r.m = &cluster.Message{Type: cluster.Tally}
		r.m.Sent, err = cluster.ParseSent(f.sent)
	}
	if r.m != nil {
		r.m.UID, r.m.RequestID = r.uid, r.id
	}
	if err == nil && r.id == "" && r.needsID() {
		err = malformed("no requestId")
	}
	return r, err
}

// needsID reports whether somebody waits for an answer that cannot be given without one.
func (r *classicRequest) needsID() bool {
	switch r.kind {
	case classicSockets, classicAllRooms, classicFetch, classicBroadcast:
		return true
	}
	return false
}

// readOld is for requests that mean one socket.
func (r *classicRequest) readOld(f *classicMembers) error {
	var ok bool
	if r.sid, ok = cluster.ParseText(f.sid); !ok {
		return malformed("neither opts nor sid")
	}
	if r.kind == classicDisconnect {
		return nil
	}
	if r.room, ok = cluster.ParseText(f.room); !ok {
		return malformed("room")
	}
	return nil
}

// readMoving is for requests to have sockets join, leave or go.
func readMoving(f *classicMembers, kind int) (m *cluster.Message, err error) {
	m = &cluster.Message{Type: cluster.DisconnectSockets, Close: f.close}
	if err = m.Opts.Parse(f.opts); err != nil || kind == classicDisconnect {
		return m, err
	}
	m.Type = cluster.SocketsJoin
	if kind == classicLeave {
		m.Type = cluster.SocketsLeave
	}
	m.Rooms, err = cluster.ParseRooms(f.rooms)
	return m, err
}

// readClassicAnswer reads what came on a channel of answers, in JSON or in msgpack, to a
// request that waits says it knows; nil where it does not, or where the answer is one
// that has nothing to say. m refers to b. Answers do not say whose they are.
func readClassicAnswer(b []byte, limits *parser.Limits, waits func(requestID string) bool) (m *cluster.Message, err error) {
	object, attachments, err := unpack(b, limits)
	if err != nil {
		return nil, err
	}
	f, err := readMembers(object)
	switch {
	case err != nil:
		return nil, err
	case f.id == "":
		return nil, malformed("no requestId")
	case !waits(f.id):
		return nil, nil
	}
	m = &cluster.Message{RequestID: f.id, SocketID: f.socketID, Failed: f.failed}
	switch kind := string(f.kind); {
	case kind == strconv.Itoa(classicServerSide):
		m.Type = cluster.ServerSideEmitResponse
		err = m.Packet.ParseValue(f.data, attachments)
	case kind == strconv.Itoa(classicClientCount):
		m.Type = cluster.BroadcastClientCount
		m.Clients, err = cluster.ParseCount(f.count)
	case kind == strconv.Itoa(classicBroadcastAck):
		m.Type = cluster.BroadcastAck
		err = m.Packet.ParseValue(f.packet, attachments)
	case len(f.sockets) > 0:
		m.Type = cluster.FetchSocketsResponse
		m.Sockets, err = cluster.ParseSockets(f.sockets, attachments)
	default:
		return nil, malformed("answer")
	}
	return m, err
}
