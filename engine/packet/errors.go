package packet

import "errors"

// What can be wrong with a packet. Each ends the session with the reason "parse error", as in Node.
var (
	// ErrEmpty is returned for a packet without a single byte: an empty text frame, an empty body, two separators in a row.
	ErrEmpty = errors.New("packet: empty packet")
	// ErrUnknownType is returned for a first character that is neither a type digit nor 'b'.
	ErrUnknownType = errors.New("packet: unknown packet type")
	// ErrBase64 is returned for a binary packet whose text is not standard base64.
	ErrBase64 = errors.New("packet: illegal base64")
	// ErrUTF8 is returned for a text packet of a polling body that is not UTF-8.
	ErrUTF8 = errors.New("packet: text is not UTF-8")
	// ErrLength is returned for a payload of revision 3 whose lengths are no numbers, or not those of its packets.
	ErrLength = errors.New("packet: wrong length in a payload")
)
