package api

// A walk over JSON that encoding/json has found valid, as bytes: that is what keeps the
// arguments of events as they stand. Nothing here allocates.

// skipSpace returns the index of the first byte from i on that is no white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the index behind the string that begins at i.
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// skipValue returns the index behind the value that begins at i.
func skipValue(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = skipString(b, i)
		case '{', '[':
			depth++
			i++
			continue
		case '}', ']':
			depth--
			i++
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i = skipWord(b, i)
		}
		if depth == 0 {
			return i
		}
	}
	return i
}

// skipWord returns the index behind a number, true, false or null.
func skipWord(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case ',', ':', ']', '}', ' ', '\t', '\n', '\r':
			return i
		}
		i++
	}
	return i
}

// member reads the member of an object, or the element of an array, that begins at i: its
// key with quotes (nil in arrays), its value, and where the next begins; more is false at
// the end.
func member(b []byte, i int, keyed bool) (key, value []byte, next int, more bool) {
	i = skipSpace(b, i)
	if i >= len(b) || b[i] == '}' || b[i] == ']' {
		return nil, nil, i, false
	}
	if keyed {
		end := skipString(b, i)
		key = b[i:end]
		i = skipSpace(b, end)
		i = skipSpace(b, i+1) // the colon
	}
	end := skipValue(b, i)
	value = b[i:end]
	if i = skipSpace(b, end); i < len(b) && b[i] == ',' {
		i++
	}
	return key, value, i, true
}

// opening returns the index behind the bracket that the value begins with.
func opening(b []byte, bracket byte) (i int, ok bool) {
	i = skipSpace(b, 0)
	return i + 1, i < len(b) && b[i] == bracket
}
