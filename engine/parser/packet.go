package parser

// Type is the kind of a Socket.IO packet. Its value is the digit on the wire minus '0'.
type Type byte

// The packet types of Socket.IO (protocol revision 5, section "Packet types").
const (
	Connect      Type = iota // to join a namespace, and the answer to that
	Disconnect               // to leave a namespace
	Event                    // an event with its arguments
	Ack                      // the answer to an event that carried an id
	ConnectError             // server to client: the namespace was refused
	BinaryEvent              // an event whose attachments follow
	BinaryAck                // an answer whose attachments follow
)

var typeNames = [...]string{"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK"}

// String returns Node's name of the type, or "unknown". Safe for concurrent use.
func (t Type) String() string {
	if int(t) >= len(typeNames) {
		return "unknown"
	}
	return typeNames[t]
}

// Binary reports whether attachments follow packets of this type. Safe for concurrent use.
func (t Type) Binary() bool { return t == BinaryEvent || t == BinaryAck }

// Packet is one decoded packet. Its slices are parts of the input of [Decode].
type Packet struct {
	Type        Type
	Namespace   []byte // begins with '/'; "/" when the packet names none; not to be written to
	ID          uint64 // acknowledgement id, when HasID
	HasID       bool
	Attachments int    // announced count, for the binary types
	Data        []byte // raw JSON without white space around it: nil, an object, an array, or a CONNECT_ERROR's string
}

// Limits bound what one packet may ask for. A zero field means its default.
type Limits struct {
	Attachments int // attachments of one packet; 10 as Node's maxAttachments; at most MaxAttachments
	Depth       int // nested arrays and objects, the payload itself included; 64; at most MaxDepth
	Namespace   int // bytes of the namespace with its '/'; 512
}

// Defaults and hard bounds of [Limits]. The bounds are what fits into the fixed memory of the scanners.
const (
	DefaultAttachments = 10  // attachments per packet, socket.io-parser's maxAttachments
	DefaultDepth       = 64  // levels
	DefaultNamespace   = 512 // bytes

	MaxAttachments = 1024 // attachments per packet
	MaxDepth       = 1024 // levels
)

func (l *Limits) attachments() int { return bounded(l.Attachments, DefaultAttachments, MaxAttachments) }

func (l *Limits) depth() int { return bounded(l.Depth, DefaultDepth, MaxDepth) }

func (l *Limits) namespace() int { return bounded(l.Namespace, DefaultNamespace, 1<<30) }

func bounded(v, zero, most int) int {
	if v <= 0 {
		return zero
	}
	return min(v, most)
}

// ReservedName reports whether a client may not send an event of this name, because the server has events of its own under
// it (RESERVED_EVENTS of socket.io-parser). Safe for concurrent use.
func ReservedName(name []byte) bool {
	switch string(name) {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}
