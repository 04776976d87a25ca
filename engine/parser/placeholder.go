package parser

import (
	"bytes"
	"encoding/base64"
)

// CheckPlaceholders walks valid JSON and verifies each placeholder, that is, each object whose "_placeholder" is true,
// whatever else is in it: its "num" must be a plain integer below n, the announced count, and no two may have the same.
// Otherwise it returns [ErrIllegalAttachments]. [Decode] has done that for the binary types. Safe for concurrent use.
func CheckPlaceholders(data []byte, n int) error {
	if !mayHavePlaceholder(data) {
		return nil
	}
	w := placeholderWalk{data: data, n: n}
	return w.run()
}

// Placeholder reports whether elem, one raw JSON value, is a placeholder, and returns the index of its attachment. Safe for
// concurrent use.
func Placeholder(elem []byte) (num int, ok bool) {
	if b, found := bytes.CutPrefix(elem, []byte(placeholderHead)); found && len(b) > 1 && b[len(b)-1] == placeholderTail {
		if num := placeholderNumber(b[:len(b)-1]); num >= 0 {
			return num, true // as every encoder writes it
		}
	}
	if len(elem) == 0 || elem[0] != '{' || !mayHavePlaceholder(elem) {
		return 0, false
	}
	w := placeholderWalk{data: elem, n: MaxAttachments}
	num, ok, err := w.object()
	if err != nil || !ok {
		return 0, false
	}
	return num, true
}

// AppendInlined appends valid JSON with each placeholder replaced by its attachment as a base64 string, which is how
// encoding/json reads bytes. It fails as [CheckPlaceholders] does. Each attachment is written at most once, so the result
// is not larger than data and 4/3 of the attachments. Safe for concurrent use.
func AppendInlined(dst, data []byte, attachments [][]byte) ([]byte, error) {
	if !mayHavePlaceholder(data) {
		return append(dst, data...), nil
	}
	w := placeholderWalk{data: data, n: len(attachments), spans: make([]span, 0, len(attachments))}
	if err := w.run(); err != nil {
		return dst, err
	}
	from := 0
	for _, s := range w.spans {
		dst = append(dst, data[from:s.start]...)
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, attachments[s.num])
		dst = append(dst, '"')
		from = s.end
	}
	return append(dst, data[from:]...), nil
}

const (
	placeholderKey = "_placeholder"
	numberKey      = "num"
)

// mayHavePlaceholder spares the walk: without the key, and without an escape that could hide it, there is none.
func mayHavePlaceholder(data []byte) bool {
	return bytes.Contains(data, []byte(placeholderKey)) || bytes.IndexByte(data, '\\') >= 0
}

// placeholderWalk visits every object of a JSON text, inner before outer. It recurses, at most MaxDepth deep.
type placeholderWalk struct {
	data  []byte
	i     int // next byte
	depth int
	n     int // attachments there are
	seen  [MaxAttachments / 64]uint64
	spans []span // the placeholders found, in order and not nested; collected unless nil
}

// span is where a placeholder stands.
type span struct{ start, end, num int }

// run walks over the one value that data is.
func (w *placeholderWalk) run() error {
	w.space()
	return w.value()
}

// value walks over the value at w.i.
func (w *placeholderWalk) value() error {
	switch w.peek() {
	case '{':
		_, _, err := w.object()
		return err
	case '[':
		return w.array()
	}
	end := skipValue(w.data, w.i)
	if end == w.i {
		return ErrJSON
	}
	w.i = end
	return nil
}

func (w *placeholderWalk) array() error {
	if err := w.enter(); err != nil {
		return err
	}
	for w.peek() != ']' {
		if err := w.value(); err != nil {
			return err
		}
		if err := w.comma(']'); err != nil {
			return err
		}
	}
	w.leave()
	return nil
}

// object walks over the object at w.i and reports whether it is a placeholder. Of repeated keys the last counts, as in
// JSON.parse.
func (w *placeholderWalk) object() (num int, placeholder bool, err error) {
	start := w.i
	if err := w.enter(); err != nil {
		return 0, false, err
	}
	num = -1
	for w.peek() != '}' {
		key, value, err := w.member()
		if err != nil {
			return 0, false, err
		}
		switch {
		case isKey(key, placeholderKey):
			placeholder = string(value) == "true"
		case isKey(key, numberKey):
			num = placeholderNumber(value)
		}
		if err := w.comma('}'); err != nil {
			return 0, false, err
		}
	}
	w.leave()
	if placeholder {
		err = w.claim(span{start, w.i, num})
	}
	return num, placeholder, err
}

// member walks over a key and its value and returns both raw, the key without quotes.
func (w *placeholderWalk) member() (key, value []byte, err error) {
	start := w.i
	end := scanKey(w.data, start)
	if end < 0 {
		return nil, nil, ErrJSON
	}
	w.i = end
	if err := w.value(); err != nil {
		return nil, nil, err
	}
	return w.data[start+1 : scanString(w.data, start)-1], w.data[end:w.i], nil
}

// claim takes the attachment of a placeholder.
func (w *placeholderWalk) claim(s span) error {
	if s.num < 0 || s.num >= w.n {
		return ErrIllegalAttachments
	}
	word, bit := s.num/64, uint64(1)<<(s.num%64)
	if w.seen[word]&bit != 0 {
		return ErrIllegalAttachments
	}
	w.seen[word] |= bit
	if w.spans == nil {
		return nil
	}
	for n := len(w.spans); n > 0 && w.spans[n-1].start > s.start; n-- {
		w.spans = w.spans[:n-1] // it stood inside s, and goes with it
	}
	w.spans = append(w.spans, s)
	return nil
}

// enter steps behind an opening bracket.
func (w *placeholderWalk) enter() error {
	if w.depth++; w.depth > MaxDepth {
		return ErrDepth
	}
	w.i++
	w.space()
	return nil
}

// leave steps behind a closing bracket.
func (w *placeholderWalk) leave() {
	w.depth--
	w.i++
}

// comma steps behind a comma, or up to the closing bracket.
func (w *placeholderWalk) comma(closing byte) error {
	w.space()
	switch w.peek() {
	case closing:
		return nil
	case ',':
		w.i++
		w.space()
		return nil
	}
	return ErrJSON
}

func (w *placeholderWalk) space() { w.i = skipSpace(w.data, w.i) }

// peek returns the next byte, or 0 at the end.
func (w *placeholderWalk) peek() byte {
	if w.i < len(w.data) {
		return w.data[w.i]
	}
	return 0
}

// isKey reports whether a raw key without quotes means name.
func isKey(raw []byte, name string) bool {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw) == name
	}
	const longest = len(placeholderKey) * len(`\u005f`)
	if len(raw) > longest {
		return false
	}
	var buf [longest]byte
	return string(AppendUnescaped(buf[:0], raw)) == name
}

// placeholderNumber reads a plain decimal integer below MaxAttachments, or returns -1.
func placeholderNumber(raw []byte) int {
	const digits = 4 // of MaxAttachments
	if len(raw) == 0 || len(raw) > digits || raw[0] == '0' && len(raw) > 1 {
		return -1
	}
	n := 0
	for _, c := range raw {
		if !isDigit(c) {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	if n >= MaxAttachments {
		return -1
	}
	return n
}
