package parser

import (
	"strconv"
	"unicode/utf8"
)

// AppendHeader appends what stands before a packet's payload: the type, the attachment count of a binary type, the
// namespace unless it is "/" or empty, and the acknowledgement id if there is one. The raw JSON follows by the caller.
func AppendHeader(dst []byte, t Type, attachments int, nsp string, id uint64, hasID bool) []byte {
	dst = append(dst, '0'+byte(t))
	if t.Binary() {
		dst = strconv.AppendInt(dst, int64(attachments), 10)
		dst = append(dst, '-')
	}
	if nsp != "" && nsp != "/" {
		dst = append(dst, nsp...)
		dst = append(dst, ',')
	}
	if hasID {
		dst = strconv.AppendUint(dst, id, 10)
	}
	return dst
}

// AppendEvent appends an event, of the binary type if it has attachments. array is the raw JSON array of its name and
// arguments, with a placeholder for each attachment.
func AppendEvent(dst []byte, nsp string, id uint64, hasID bool, attachments int, array []byte) []byte {
	t := Event
	if attachments > 0 {
		t = BinaryEvent
	}
	return append(AppendHeader(dst, t, attachments, nsp, id, hasID), array...)
}

// AppendAck appends the answer to the event with this id, of the binary type if it has attachments. array is the raw JSON
// array of the arguments.
func AppendAck(dst []byte, nsp string, id uint64, attachments int, array []byte) []byte {
	t := Ack
	if attachments > 0 {
		t = BinaryAck
	}
	return append(AppendHeader(dst, t, attachments, nsp, id, true), array...)
}

const (
	placeholderHead = `{"_placeholder":true,"num":`
	placeholderTail = '}'
)

// AppendPlaceholder appends the object that stands for attachment num, as Node writes it.
func AppendPlaceholder(dst []byte, num int) []byte {
	dst = append(dst, placeholderHead...)
	dst = strconv.AppendInt(dst, int64(num), 10)
	return append(dst, placeholderTail)
}

// AppendString appends s as a JSON string with the escapes of JSON.stringify: quote, backslash and controls only. Each byte
// that is not UTF-8 becomes U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0 // first byte not yet copied
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			i++
			if c >= ' ' && c != '"' && c != '\\' {
				continue
			}
			dst = append(dst, s[from:i-1]...)
			dst = appendEscape(dst, c)
			from = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[from:i]...)
			dst = append(dst, "\uFFFD"...)
			from = i + 1
		}
		i += size
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// appendEscape appends the escape of a quote, a backslash or a control character.
func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
}
