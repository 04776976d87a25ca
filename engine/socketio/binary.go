package socketio

import (
	"encoding/base64"
	"math/rand/v2"
)

// Binary is bytes that travel as an attachment of their own behind the JSON of their packet, where a browser sees an
// ArrayBuffer and Node a Buffer. A []byte travels in the same way; the name is for those who like to say so.
//
// Wherever Binary, []byte or another type of byte slice stands in a value, it becomes an attachment: as an argument, in
// fields of structs, in slices, maps, pointers and interfaces. Not so: arrays of bytes (numbers in JSON), nil (null), Raw
// and json.RawMessage, and what is inside of a type that encodes itself (MarshalJSON, MarshalText).
//
// In the other direction an attachment goes into a byte slice or into an interface, there as a []byte. A base64 string goes
// into a byte slice, too, as in encoding/json. An attachment where a string is wanted is [ErrBinaryTarget]; a type that
// decodes itself sees a base64 string. Received bytes are not copied again. They may be kept, but all handlers of one event
// share them, catch-alls too: a handler may change them where it is the only one.
//
// Receivers refuse more than 10 attachments per packet unless told otherwise (socket.io-parser, maxAttachments).
type Binary []byte

// maxNesting bounds the depth of values that are searched for binary, in levels of pointers, interfaces, slices, maps and
// structs. encoding/json begins to look for cycles at the same depth.
const maxNesting = 1000

// tokens stand for attachments while a value is in the hands of the codec, which writes and reads bytes as base64. A token
// is bytes whose base64 is recognisable: a random prefix and an index in decimal digits. The prefix is new for each packet,
// so nobody can write it in advance.
type tokens struct {
	prefix [prefixText]byte  // of the base64
	head   [prefixBytes]byte // the same, decoded
}

const (
	prefixText  = 24 // characters of 5 random bits each
	prefixBytes = prefixText * 3 / 4
	indexText   = 8 // decimal digits
	indexBytes  = indexText * 3 / 4
	tokenText   = prefixText + indexText
	tokenBytes  = prefixBytes + indexBytes
)

// newTokens draws a prefix.
func newTokens() (t tokens) {
	const alphabet = "abcdefghijklmnopqrstuvwxyz234567" // nothing that a codec might escape
	low, high := rand.Uint64(), rand.Uint64()
	for i := range t.prefix {
		if i == prefixText/2 {
			low = high
		}
		t.prefix[i] = alphabet[low&31]
		low >>= 5
	}
	decode64(t.head[:], t.prefix[:])
	return t
}

// text returns the base64 of token i.
func (t *tokens) text(i int) []byte {
	b := append(make([]byte, 0, tokenText), t.prefix[:]...)
	for unit := 10_000_000; unit > 0; unit /= 10 {
		b = append(b, '0'+byte(i/unit%10))
	}
	return b
}

// bytes returns token i.
func (t *tokens) bytes(i int) []byte {
	b := make([]byte, tokenBytes)
	decode64(b, t.text(i))
	return b
}

// stand returns n tokens from index first on.
func (t *tokens) stand(first, n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = t.bytes(first + i)
	}
	return all
}

// inText returns the index of the token whose base64 s is.
func (t *tokens) inText(s string) (i int, ok bool) {
	if len(s) != tokenText || s[:prefixText] != string(t.prefix[:]) {
		return 0, false
	}
	for _, c := range []byte(s[prefixText:]) {
		if c < '0' || c > '9' {
			return 0, false
		}
		i = i*10 + int(c-'0')
	}
	return i, true
}

// inBytes returns the index of the token that b is.
func (t *tokens) inBytes(b []byte) (i int, ok bool) {
	if len(b) != tokenBytes || [prefixBytes]byte(b) != t.head {
		return 0, false
	}
	return t.inText(base64.StdEncoding.EncodeToString(b))
}

// decode64 decodes base64 of our own making into dst.
func decode64(dst, text []byte) {
	if _, err := base64.StdEncoding.Decode(dst, text); err != nil {
		panic(err) // a mistake in this file
	}
}
