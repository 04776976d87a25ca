package parser

import "bytes"

const maxID = 1 << 53 // the last integer a JavaScript number counts to without a gap

// root is the namespace of packets that name none. It is shared and never written to.
var root = []byte("/")

// Decode reads one packet: the text behind Engine.IO's '4'. It allocates nothing, and checks everything that needs no
// session: the header, that the payload is JSON and not too deep, that its shape belongs to the type, that an event's name
// is a string or a number and not reserved, and that placeholders name announced attachments. A nil lim means the defaults.
// With [ErrIgnore] the packet is returned too; with any other error it is zero. Safe for concurrent use.
//
// A CONNECT_ERROR is decoded, although no client may send one: the caller decides.
func Decode(b []byte, lim *Limits) (Packet, error) {
	var defaults Limits
	if lim == nil {
		lim = &defaults
	}
	p, payload, err := decodeHeader(b, lim)
	if err == nil {
		p.Data, err = decodePayload(&p, payload, lim)
	}
	if err != nil && err != ErrIgnore {
		return Packet{}, err
	}
	return p, err
}

// decodeHeader reads what stands before the payload.
func decodeHeader(b []byte, lim *Limits) (p Packet, rest []byte, err error) {
	if len(b) == 0 {
		return p, nil, ErrEmpty
	}
	if p.Type = Type(b[0] - '0'); p.Type > BinaryAck {
		return p, nil, ErrUnknownType
	}
	b = b[1:]
	if p.Type.Binary() {
		if p.Attachments, b, err = cutAttachments(b, lim.attachments()); err != nil {
			return p, nil, err
		}
	}
	if p.Namespace, b, err = cutNamespace(b, lim.namespace()); err != nil {
		return p, nil, err
	}
	p.ID, p.HasID, b, err = cutID(b)
	return p, b, err
}

// cutAttachments reads the attachment count and its dash.
func cutAttachments(b []byte, most int) (n int, rest []byte, err error) {
	const digits = 9 // longer counts are nonsense, and these fit into an int everywhere
	i := 0
	for i < len(b) && i < digits && isDigit(b[i]) {
		n = n*10 + int(b[i]-'0')
		i++
	}
	if i == 0 || b[0] == '0' || i == len(b) || b[i] != '-' {
		return 0, nil, ErrIllegalAttachments
	}
	if n > most {
		return 0, nil, ErrTooManyAttachments
	}
	return n, b[i+1:], nil
}

// cutNamespace reads a namespace up to its comma, which may be missing at the end of the packet.
func cutNamespace(b []byte, most int) (nsp, rest []byte, err error) {
	if len(b) == 0 || b[0] != '/' {
		return root, b, nil
	}
	window := b[:min(len(b), most+1)]
	if i := bytes.IndexByte(window, ','); i >= 0 {
		return b[:i:i], b[i+1:], nil
	}
	if len(b) > most {
		return nil, nil, ErrNamespace
	}
	return b, nil, nil
}

// cutID reads the acknowledgement id, if there is one.
func cutID(b []byte) (id uint64, has bool, rest []byte, err error) {
	const digits = 16 // of 2^53
	i := 0
	for i < len(b) && isDigit(b[i]) {
		if i == digits {
			return 0, false, nil, ErrID
		}
		id = id*10 + uint64(b[i]-'0')
		i++
	}
	if id > maxID {
		return 0, false, nil, ErrID
	}
	return id, i > 0, b[i:], nil
}

// decodePayload checks the payload of p and returns it without the white space behind it.
func decodePayload(p *Packet, b []byte, lim *Limits) ([]byte, error) {
	if err := checkShape(p, b); err != nil || len(b) == 0 {
		return nil, err
	}
	if err := scan(b, lim.depth()); err != nil {
		return nil, err
	}
	b = trimSpace(b)
	if p.Type == Event || p.Type == BinaryEvent {
		if err := checkEventName(b); err != nil {
			return nil, err
		}
	}
	if p.Type.Binary() {
		return b, CheckPlaceholders(b, p.Attachments)
	}
	return b, nil
}

// checkShape judges the payload by its first character, where the type allows one kind of value only. White space there is
// refused, as no encoder writes it.
func checkShape(p *Packet, b []byte) error {
	if len(b) == 0 {
		return checkAbsent(p.Type)
	}
	ok := false
	switch first := b[0]; p.Type {
	case Connect:
		ok = first == '{'
	case ConnectError:
		ok = first == '{' || first == '"'
	case Event, BinaryEvent:
		ok = first == '['
	case Ack, BinaryAck:
		ok = first == '[' && p.HasID
	}
	if !ok {
		return ErrInvalidPayload
	}
	return nil
}

// checkAbsent judges a packet without payload.
func checkAbsent(t Type) error {
	switch t {
	case Connect, Disconnect, ConnectError:
		return nil
	case Event:
		return ErrIgnore
	}
	return ErrInvalidPayload
}

// trimSpace cuts the white space behind a value.
func trimSpace(b []byte) []byte {
	n := len(b)
	for n > 0 && isSpace(b[n-1]) {
		n--
	}
	return b[:n:n]
}
