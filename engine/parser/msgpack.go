package parser

import "errors"

// Msgpack writes and reads packets as the npm package socket.io-msgpack-parser does: each is one binary message, a msgpack
// map of type, data, nsp and id, with binary standing where it belongs, and no type for binary packets. The zero value is
// ready. Both methods are safe for concurrent use.
//
// Between it and those who use packets the data are JSON and attachments, as with [Decode]. What msgpack can say and JSON
// cannot is turned into what JSON.stringify makes of it, which is also what the default parser would have sent: a Date
// (ext 0 of 8 bytes, or the timestamp of the msgpack specification) is its ISO string, NaN and the infinities are null,
// undefined (ext 0 of 1 byte) is null in an array and drops its key in an object. Integers keep all their 64 bits. An
// ArrayBuffer (ext 0) is an attachment like bin. Another extension is an array of its type and an attachment, as there.
//
// Refused are, beside what the npm package refuses: the events that [Decode] refuses, namespaces without a slash in front or
// with a comma, keys that are neither strings nor integers, binary in the data of a CONNECT, and what exceeds [Limits].
type Msgpack struct{}

// ErrMsgpack is returned for a message that is not exactly one msgpack map, with the keys of a packet.
var ErrMsgpack = errors.New("parser: invalid msgpack")

// Binary reports that messages are binary ones.
func (Msgpack) Binary() bool { return true }

// DecodePacket reads one message; binary says how it came, and text is [ErrMsgpack]. The packet's data and the attachments
// own their memory; the namespace is a part of message. A packet with attachments has a binary type. Declared lengths are
// checked before anything is allocated for them, and what is allocated is at most about six times the message. A nil lim
// means the defaults.
func (Msgpack) DecodePacket(message []byte, binary bool, lim *Limits) (Packet, [][]byte, error) {
	if !binary {
		return Packet{}, nil, ErrMsgpack
	}
	var defaults Limits
	if lim == nil {
		lim = &defaults
	}
	r := msgpackReader{b: message, maxDepth: lim.depth(), most: lim.attachments()}
	e, err := r.envelope(lim)
	if err != nil {
		return Packet{}, nil, err
	}
	p, attachments, err := r.open(&e)
	if err != nil {
		return Packet{}, nil, err
	}
	return p, attachments, nil
}

// envelope is what is known of a packet before its data are written as JSON.
type envelope struct {
	packet      Packet
	hasType     bool
	data        int // where the data begin; 0 for none
	size        int // of the data as JSON
	attachments int
}

// envelope reads the whole message, and with it proves that it is msgpack within limits.
func (r *msgpackReader) envelope(lim *Limits) (e envelope, err error) {
	n, ok := r.mapHeader()
	if !ok {
		return e, ErrMsgpack
	}
	for range n {
		key, err := r.str()
		if err != nil {
			return e, err
		}
		if err := r.member(&e, key, lim); err != nil {
			return e, err
		}
	}
	switch {
	case r.i != len(r.b), !e.hasType:
		err = ErrMsgpack
	case len(e.packet.Namespace) == 0:
		err = ErrNamespace
	}
	return e, err
}

// member reads the value of one key of the packet. Keys of no meaning, such as the client's "options", are skipped. Of
// repeated keys the last counts, as in JavaScript.
func (r *msgpackReader) member(e *envelope, key []byte, lim *Limits) error {
	switch string(key) {
	case "type":
		t, ok := r.uint()
		if !ok || t > uint64(ConnectError) {
			return ErrUnknownType
		}
		e.packet.Type, e.hasType = Type(t), true
		return nil
	case "nsp":
		nsp, err := r.str()
		if err != nil {
			return err
		}
		if !isNamespace(nsp, lim.namespace()) {
			return ErrNamespace
		}
		e.packet.Namespace = nsp
		return nil
	case "id":
		return r.id(&e.packet)
	}
	start := r.i
	r.size, r.attached = 0, 0
	kind, err := r.value()
	if err == nil && string(key) == "data" {
		e.data, e.size, e.attachments = start, r.size, r.attached
		if kind == undefined {
			e.data = 0
		}
	}
	return err
}

// isNamespace reports whether a client may name a namespace so.
func isNamespace(nsp []byte, most int) bool {
	if len(nsp) == 0 || nsp[0] != '/' || len(nsp) > most {
		return false
	}
	for _, c := range nsp {
		if c == ',' {
			return false
		}
	}
	return true
}

// id reads an acknowledgement id, or undefined for none.
func (r *msgpackReader) id(p *Packet) error {
	p.ID, p.HasID = 0, false
	if r.skipUndefined() {
		return nil
	}
	id, ok := r.uint()
	if !ok || id > maxID {
		return ErrID
	}
	p.ID, p.HasID = id, true
	return nil
}

// open writes the data of a packet as JSON and judges them as [Decode] does.
func (r *msgpackReader) open(e *envelope) (Packet, [][]byte, error) {
	p := e.packet
	if e.data != 0 {
		r.write(e)
		p.Data = r.out
	}
	err := checkShape(&p, p.Data)
	if err == nil && p.Type == Event {
		err = checkEventName(p.Data)
	}
	switch {
	case err == ErrIgnore:
		err = ErrInvalidPayload // the npm package does not take an event without data
	case err == nil && e.attachments > 0:
		err = r.seal(&p)
	}
	return p, r.attachments, err
}

// write goes over the data once more, and does what was only measured the first time.
func (r *msgpackReader) write(e *envelope) {
	r.out = make([]byte, 0, e.size)
	if e.attachments > 0 {
		r.attachments = make([][]byte, 0, e.attachments)
	}
	r.i, r.writing = e.data, true
	_, _ = r.value() // which has not failed the first time
}

// seal makes p a packet with attachments. Objects that look like placeholders are among the data only here.
func (r *msgpackReader) seal(p *Packet) error {
	switch p.Type {
	case Event:
		p.Type = BinaryEvent
	case Ack:
		p.Type = BinaryAck
	default:
		return ErrInvalidPayload
	}
	p.Attachments = len(r.attachments)
	return CheckPlaceholders(p.Data, p.Attachments)
}
