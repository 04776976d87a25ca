package packet

import "encoding/base64"

// Packets of revision 3 are those of revision 4, but that binary ones have a type, too: it stands in front of the bytes
// as a number, and as a digit behind the 'b' of base64.

// DecodeTextV3 is [DecodeText] for revision 3.
func DecodeTextV3(b []byte) (Packet, error) {
	if len(b) == 0 || b[0] != binaryMark {
		return DecodeText(b)
	}
	if len(b) == 1 || b[1] != '0'+byte(Message) {
		return Packet{}, ErrUnknownType
	}
	n, ok := decodeBase64(b, b[2:])
	if !ok {
		return Packet{}, ErrBase64
	}
	return Packet{Type: Message, Binary: true, Data: b[:n:n]}, nil
}

// DecodeBinaryV3 decodes one binary packet as it stands in a WebSocket's binary frame or in a binary payload. Data is a part
// of b. Safe for concurrent use on different slices.
func DecodeBinaryV3(b []byte) (Packet, error) {
	switch {
	case len(b) == 0:
		return Packet{}, ErrEmpty
	case b[0] != byte(Message):
		return Packet{}, ErrUnknownType
	}
	return Packet{Type: Message, Binary: true, Data: b[1:len(b):len(b)]}, nil
}

// AppendBinaryV3 appends a binary message as bytes.
func AppendBinaryV3(dst, data []byte) []byte {
	return append(append(dst, byte(Message)), data...)
}

// Base64LenV3 returns how long AppendBase64V3 makes n bytes.
func Base64LenV3(n int) int { return 2 + base64.StdEncoding.EncodedLen(n) }

// AppendBase64V3 appends a binary message as text, for clients that asked with b64=1.
func AppendBase64V3(dst, data []byte) []byte {
	dst = append(dst, binaryMark, '0'+byte(Message))
	return base64.StdEncoding.AppendEncode(dst, data)
}
