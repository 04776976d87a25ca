package parser

import (
	"bytes"
	"unicode/utf8"
)

// Members iterates over the members of a JSON object that was found valid, by [Check] or because [DecodeMsgpack] wrote it.
// It allocates only for keys that are written with escapes. On anything else it stops somewhere, without harm.
type Members struct{ rest []byte }

// NewMembers returns an iterator over a raw object with its braces; what is no object has no members.
func NewMembers(object []byte) Members {
	b := trimSpace(object[skipSpace(object, 0):])
	if len(b) < 2 || b[0] != '{' || b[len(b)-1] != '}' {
		return Members{}
	}
	return Members{rest: b[1 : len(b)-1]}
}

// Next returns the text of the next key, and its value without white space around it.
func (m *Members) Next() (key, value []byte, ok bool) {
	start := skipSpace(m.rest, 0)
	from := scanKey(m.rest, start)
	if from < 0 {
		m.rest = nil
		return nil, nil, false
	}
	end := skipValue(m.rest, from)
	if end == from {
		m.rest = nil
		return nil, nil, false
	}
	key = m.rest[start+1 : scanString(m.rest, start)-1]
	if bytes.IndexByte(key, '\\') >= 0 {
		key = AppendUnescaped(make([]byte, 0, len(key)), key)
	}
	value = m.rest[from:end:end]
	m.rest = m.rest[end:]
	if i := skipSpace(m.rest, 0); i < len(m.rest) && m.rest[i] == ',' {
		m.rest = m.rest[i+1:]
	} else {
		m.rest = nil
	}
	return key, value, true
}

// Check reports whether b is one JSON value in UTF-8, nested no deeper than lim allows: [ErrJSON], [ErrDepth]. It says
// nothing of placeholders. A nil lim means the defaults. Safe for concurrent use.
func Check(b []byte, lim *Limits) error {
	var defaults Limits
	if lim == nil {
		lim = &defaults
	}
	if !utf8.Valid(b) {
		return ErrJSON
	}
	return scan(b, lim.depth())
}

// CheckEvent reports whether array is the array of an event as [Decode] would have it, with so many attachments: for what
// comes from elsewhere than a client. Its errors are those of Decode. A nil lim means the defaults. Safe for concurrent use.
func CheckEvent(array []byte, attachments int, lim *Limits) error {
	if len(array) == 0 || array[0] != '[' {
		return ErrInvalidPayload
	}
	if err := Check(array, lim); err != nil {
		return err
	}
	if err := checkEventName(trimSpace(array)); err != nil || attachments == 0 {
		return err
	}
	return CheckPlaceholders(array, attachments)
}

// AppendRenumbered appends valid JSON with its placeholders numbered anew from 0, in their order, and returns the attachments
// that they stand for: for a part of a message that had more of them. It fails as [CheckPlaceholders] does, and dst is as
// it was. Safe for concurrent use.
func AppendRenumbered(dst, data []byte, attachments [][]byte) ([]byte, [][]byte, error) {
	if !mayHavePlaceholder(data) {
		return append(dst, data...), nil, nil
	}
	w := placeholderWalk{data: data, n: len(attachments), spans: make([]span, 0, len(attachments))}
	if err := w.run(); err != nil {
		return dst, nil, err
	}
	var used [][]byte
	from := 0
	for i, s := range w.spans {
		dst = append(dst, data[from:s.start]...)
		dst = AppendPlaceholder(dst, i)
		used = append(used, attachments[s.num])
		from = s.end
	}
	return append(dst, data[from:]...), used, nil
}
