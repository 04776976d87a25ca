package cluster

import (
	"fmt"
	"strconv"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// What a message may have at most: each is far beyond what is used, and keeps one that
// is wrong from costing more than a few times its length.
const (
	MaxMessage = 64 << 20 // bytes
	maxDepth   = 512      // levels of arrays and objects
	maxRooms   = 1 << 16  // in one list
	maxSockets = 1 << 20  // in one answer
	maxSizes   = 1 << 20  // rooms in one answer
	maxLanes   = 16
	maxName    = 512 // bytes of a UID, a request's or socket's id
)

// Limits are the bounds for what comes from other servers, for [parser.DecodeMsgpack]
// and the like.
func Limits() *parser.Limits { l := limits; return &l }

var limits = parser.Limits{Depth: maxDepth, Attachments: parser.MaxAttachments}

// ParseJSON reads what AppendJSON has written, or Node, and returns it with its
// namespace. Packet refers to b and the attachments. Of a type that is not known there
// is nothing but the type and the UID. The errors wrap [ErrMalformed]. Safe for
// concurrent use.
func ParseJSON(b []byte, attachments [][]byte) (m *Message, nsp string, err error) {
	if err := checkText(b, attachments); err != nil {
		return nil, "", err
	}
	m = new(Message)
	var data []byte
	list := parser.NewMembers(b)
	for key, v, ok := list.Next(); ok; key, v, ok = list.Next() {
		switch string(key) {
		case "type":
			n, err := strconv.ParseUint(string(v), 10, 8)
			if err != nil {
				return nil, "", malformed("type")
			}
			m.Type = Type(n)
		case "uid":
			m.UID, err = nameOf("uid", v)
		case "nsp":
			nsp, err = nameOf("nsp", v)
		case "data":
			data = v
		}
		if err != nil {
			return nil, "", err
		}
	}
	if m.Type == 0 {
		return nil, "", malformed("type")
	}
	return m, nsp, m.parse(data, attachments)
}

// ParseData reads the data of a message of this type; otherwise as ParseJSON.
func ParseData(t Type, b []byte, attachments [][]byte) (*Message, error) {
	m := &Message{Type: t}
	if len(b) > 0 {
		if err := checkText(b, attachments); err != nil {
			return nil, err
		}
	}
	if err := m.parse(b, attachments); err != nil {
		return nil, err
	}
	return m, nil
}

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

// checkText proves that b is JSON, so that what follows may rely on it.
func checkText(b []byte, attachments [][]byte) error {
	if len(b) > MaxMessage || len(attachments) > parser.MaxAttachments {
		return fmt.Errorf("%w: %w", ErrMalformed, ErrTooLarge)
	}
	if err := parser.Check(b, &limits); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// fields are what the data of a message may have, as they were found.
type fields struct {
	packet, opts, rooms, sockets, sizes, sent []byte
}

// parse takes the data apart, as the type has it.
func (m *Message) parse(data []byte, attachments [][]byte) error {
	var f fields
	var err error
	list := parser.NewMembers(data)
	for key, v, ok := list.Next(); ok && err == nil; key, v, ok = list.Next() {
		switch string(key) {
		case "packet":
			f.packet = v
		case "opts":
			f.opts = v
		case "rooms":
			f.rooms = v
		case "sockets":
			f.sockets = v
		case "sizes":
			f.sizes = v
		case "sent":
			f.sent = v
		case "requestId":
			m.RequestID, err = nameOf("requestId", v)
		case "socketId":
			m.SocketID, err = nameOf("socketId", v)
		case "failed":
			m.Failed, err = nameOf("failed", v)
		case "pid":
			m.PID, err = nameOf("pid", v)
		case "stored":
			m.Sequence, err = strconv.ParseUint(string(v), 10, 64)
		case "clientCount":
			m.Clients, err = countOf("clientCount", v)
		case "close":
			m.Close = string(v) == "true"
		}
	}
	if err != nil {
		return err
	}
	return m.fill(&f, attachments)
}

// fill reads the fields that belong to the type, and has those that must be there.
func (m *Message) fill(f *fields, attachments [][]byte) (err error) {
	switch m.Type {
	case Broadcast:
		if err = m.Opts.parse(f.opts); err == nil {
			err = m.Packet.parseEvent(f.packet, attachments)
		}
	case SocketsJoin, SocketsLeave:
		if err = m.Opts.parse(f.opts); err == nil {
			m.Rooms, err = roomsOf(f.rooms)
		}
	case DisconnectSockets:
		err = m.Opts.parse(f.opts)
	case FetchSockets, CountSockets:
		if err = m.Opts.parse(f.opts); err == nil {
			err = m.needRequest()
		}
	case FetchSocketsResponse:
		if m.Sockets, err = socketsOf(f.sockets, attachments); err == nil {
			err = m.needRequest()
		}
	case ServerSideEmit:
		err = m.Packet.parseArray(f.packet, attachments)
	case ServerSideEmitResponse, BroadcastAck:
		if err = m.Packet.parseValue(f.packet, attachments); err == nil {
			err = m.needRequest()
		}
	case BroadcastClientCount, CountSocketsResponse, RoomSizes, SessionSurrendered:
		err = m.needRequest()
	case RoomSizesResponse:
		if m.Sizes, err = countsOf[int](f.sizes, maxSizes); err == nil {
			err = m.needRequest()
		}
	case Tally:
		m.Sent, err = countsOf[uint64](f.sent, maxLanes)
	}
	return err
}

func (m *Message) needRequest() error {
	if m.RequestID == "" {
		return malformed("no requestId")
	}
	return nil
}

// parseEvent reads {type, data}: an event, also where it is said to be a binary one.
func (p *Packet) parseEvent(packet []byte, attachments [][]byte) error {
	var kind, data []byte
	list := parser.NewMembers(packet)
	for key, v, ok := list.Next(); ok; key, v, ok = list.Next() {
		switch string(key) {
		case "type":
			kind = v
		case "data":
			data = v
		}
	}
	if s := string(kind); s != "2" && s != "5" {
		return malformed("packet")
	}
	return p.parseArray(data, attachments)
}

// parseArray reads the array of an event's name and arguments, which is JSON already.
func (p *Packet) parseArray(array []byte, attachments [][]byte) (err error) {
	if err := p.set(array, attachments); err != nil {
		return err
	}
	name, _, err := parser.EventName(p.JSON)
	if err == nil && parser.ReservedName(name) {
		err = parser.ErrReserved
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	p.checked = true
	return nil
}

// parseValue reads the one value of an answer, which is not there where it is undefined.
func (p *Packet) parseValue(value []byte, attachments [][]byte) error {
	array := make([]byte, 0, len(value)+2)
	array = append(append(append(array, '['), value...), ']')
	return p.set(array, attachments)
}

// set has the attachments that are meant in array, and no others.
func (p *Packet) set(array []byte, attachments [][]byte) (err error) {
	if p.JSON = array; len(attachments) > 0 {
		if p.JSON, p.Attachments, err = parser.AppendRenumbered(nil, array, attachments); err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	return nil
}

// parse reads {rooms, except, flags}, of which any may be missing, but not all of it.
func (o *Opts) parse(object []byte) (err error) {
	if len(object) == 0 || object[0] != '{' {
		return malformed("opts")
	}
	var flags []byte
	list := parser.NewMembers(object)
	for key, v, ok := list.Next(); ok && err == nil; key, v, ok = list.Next() {
		switch string(key) {
		case "rooms":
			o.Rooms, err = roomsOf(v)
		case "except":
			o.Except, err = roomsOf(v)
		case "flags":
			flags = v
		}
	}
	if err == nil {
		o.parseFlags(flags)
	}
	return err
}

// parseFlags takes true and false for what they are in JavaScript where they matter, and
// everything else for absent.
func (o *Opts) parseFlags(object []byte) {
	list := parser.NewMembers(object)
	for key, v, ok := list.Next(); ok; key, v, ok = list.Next() {
		switch string(key) {
		case "volatile":
			o.Flags.Volatile = string(v) == "true"
		case "compress":
			o.Flags.NoCompress = string(v) == "false"
		case "expectSingleResponse":
			o.Single = string(v) == "true"
		case "timeout":
			if ms, err := strconv.ParseFloat(string(v), 64); err == nil && ms > 0 {
				o.Timeout = time.Duration(min(ms, float64(longestTimer/time.Millisecond)) * float64(time.Millisecond))
			}
		}
	}
}
