package socketio

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// Raw is one JSON value that is passed on as it stands: a handler whose argument is a Raw gets the bytes of the packet, and
// a Raw given to Emit goes out unchanged after a check that it is valid. An empty Raw is null.
//
// The Raw a handler gets is valid until the handler returns; see [Raw.Clone]. A Raw has no attachments: a value with binary
// in it cannot be one ([ErrRawBinary]), and neither can JSON that looks as if it had ([ErrPlaceholder]). Relay [Args] where
// binary may come.
type Raw []byte

// Clone returns a copy that may be kept.
func (r Raw) Clone() Raw { return append(Raw(nil), r...) }

// String returns the JSON text, for logs.
func (r Raw) String() string { return string(r) }

// MarshalJSON returns r itself, so that a Raw may stand inside of a value.
func (r Raw) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, checkRaw(r)
}

// UnmarshalJSON keeps a copy of data. A Raw inside of a value does not refer to the packet's memory.
func (r *Raw) UnmarshalJSON(data []byte) error {
	*r = append((*r)[:0], data...)
	return nil
}

// appendRaw appends a JSON value that the caller of Emit made.
func appendRaw(dst []byte, r []byte) ([]byte, error) {
	if len(r) == 0 {
		return append(dst, "null"...), nil
	}
	if err := checkRaw(r); err != nil {
		return dst, err
	}
	return append(dst, r...), nil
}

// checkRaw proves that r is one JSON value. A Raw is the one way for a user's bytes to go on the wire as they are, and what
// is no JSON, or no UTF-8, would end the connection of everyone who gets it.
func checkRaw(r []byte) error {
	if !json.Valid(r) || !utf8.Valid(r) {
		return ErrJSON
	}
	if hasPlaceholder(r) {
		return ErrPlaceholder
	}
	return nil
}

// hasPlaceholder reports whether a valid JSON value refers to attachments, or looks as if it did: with none announced each
// placeholder is one too many. A value too deep for the parser counts as one that does.
func hasPlaceholder(value []byte) bool { return parser.CheckPlaceholders(value, 0) != nil }
