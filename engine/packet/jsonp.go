package packet

import "unicode/utf8"

// AppendJSONP appends a polling payload as the script that JSONP clients load: a call of
// their callback number index, which is digits, with the payload as a string. It is valid
// JavaScript as well as JSON: U+2028 and U+2029, which end a line in old JavaScript, are
// escaped. Safe for concurrent use.
func AppendJSONP(dst []byte, index string, payload []byte) []byte {
	dst = append(dst, "___eio["...)
	dst = append(dst, index...)
	dst = append(dst, "]("...)
	dst = appendScriptString(dst, payload)
	return append(dst, ");"...)
}

// appendScriptString writes what JSON.stringify would; bytes that are not UTF-8 become
// U+FFFD.
func appendScriptString(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ' && shortEscapes[r] != 0:
			dst = append(dst, '\\', shortEscapes[r])
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&0xf])
		case r == '\u2028':
			dst = append(dst, `\u2028`...)
		case r == '\u2029':
			dst = append(dst, `\u2029`...)
		default:
			dst = utf8.AppendRune(dst, r)
		}
		s = s[n:]
	}
	return append(dst, '"')
}

// shortEscapes are the letters of JSON's short escapes.
var shortEscapes = [' ']byte{'\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't'}

// UnescapeNewlines undoes what JSONP clients do to a payload, because forms change line
// ends: they write a newline as \n, and a backslash with an n behind it with one backslash
// more. b is overwritten; what is returned is a part of it.
func UnescapeNewlines(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != '\\':
			out = append(out, b[i])
		case i+2 < len(b) && b[i+1] == '\\' && b[i+2] == 'n':
			out = append(out, '\\', 'n')
			i += 2
		case i+1 < len(b) && b[i+1] == 'n':
			out = append(out, '\n')
			i++
		default:
			out = append(out, '\\')
		}
	}
	return out
}
