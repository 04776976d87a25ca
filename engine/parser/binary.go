package parser

// DefaultBinaryBytes bounds the attachments of one packet together when Binary.MaxBytes is 0: as many as
// [DefaultAttachments] messages of 1e6 bytes, Node's maxHttpBufferSize.
const DefaultBinaryBytes = DefaultAttachments * 1_000_000

// Binary collects the attachments that follow a binary packet. A session keeps one only while such a packet is incomplete;
// a text message in that time is [ErrPlaintext], an attachment without one is [ErrStrayBinary]. It copies everything once
// into memory of its own, which it hands over with [Binary.Packet]. One goroutine at a time may use it.
type Binary struct {
	// MaxBytes bounds the attachments together, in bytes; 0 means DefaultBinaryBytes. To be set before the first Add.
	MaxBytes int64

	packet      Packet
	attachments [][]byte
	bytes       int64 // in attachments
}

// NewBinary begins to collect the attachments of p, a packet of a binary type, and copies p's slices.
func NewBinary(p Packet) *Binary {
	own := make([]byte, 0, len(p.Namespace)+len(p.Data))
	own = append(own, p.Namespace...)
	own = append(own, p.Data...)
	n := len(p.Namespace)
	p.Namespace, p.Data = own[:n:n], own[n:]
	return &Binary{packet: p}
}

// Add copies the next attachment and reports whether it was the last one. It fails with [ErrBinaryTooLarge] when the
// attachments exceed MaxBytes, before copying, and with [ErrStrayBinary] when all have been there already.
func (b *Binary) Add(attachment []byte) (complete bool, err error) {
	if len(b.attachments) >= b.packet.Attachments {
		return false, ErrStrayBinary
	}
	if b.bytes+int64(len(attachment)) > b.maxBytes() {
		return false, ErrBinaryTooLarge
	}
	b.bytes += int64(len(attachment))
	own := make([]byte, len(attachment)) // not nil even when empty: nil would become null
	copy(own, attachment)
	b.attachments = append(b.attachments, own)
	return len(b.attachments) == b.packet.Attachments, nil
}

func (b *Binary) maxBytes() int64 {
	if b.MaxBytes <= 0 {
		return DefaultBinaryBytes
	}
	return b.MaxBytes
}

// Packet returns the packet and its attachments in the order in which they came; a placeholder's number is the index. They
// are the caller's from now on.
func (b *Binary) Packet() (Packet, [][]byte) { return b.packet, b.attachments }
