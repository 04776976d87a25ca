package parser

// Args iterates over the elements of a JSON array that [Decode] has validated, and hands them out as raw JSON. It allocates
// nothing. On anything else than valid JSON it stops somewhere, without harm.
type Args struct {
	rest []byte // the elements to come, commas between them
}

// NewArgs returns an iterator over a raw array with its brackets.
func NewArgs(array []byte) Args {
	i := skipSpace(array, 0)
	b := trimSpace(array[i:])
	if len(b) < 2 || b[0] != '[' || b[len(b)-1] != ']' {
		return Args{}
	}
	return Args{rest: b[1 : len(b)-1]}
}

// NewArgList returns an iterator over elements without brackets, such as the rest that [EventName] returns.
func NewArgList(list []byte) Args { return Args{rest: list} }

// Next returns the next element without white space around it.
func (a *Args) Next() (elem []byte, ok bool) {
	start := skipSpace(a.rest, 0)
	end := skipValue(a.rest, start)
	if end == start {
		a.rest = nil
		return nil, false
	}
	elem = a.rest[start:end:end]
	if i := skipSpace(a.rest, end); i < len(a.rest) && a.rest[i] == ',' {
		a.rest = a.rest[i+1:]
	} else {
		a.rest = nil
	}
	return elem, true
}

// Rest returns what has not been read yet, as raw JSON with commas between and no brackets.
func (a *Args) Rest() []byte { return a.rest }

// CountArgs returns the number of elements of a raw array that [Decode] has validated. Safe for concurrent use.
func CountArgs(array []byte) int {
	a, n := NewArgs(array), 0
	for _, ok := a.Next(); ok; _, ok = a.Next() {
		n++
	}
	return n
}

// skipValue returns the index behind the valid JSON value at i, and i itself where none begins.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return i
	}
	switch b[i] {
	case '"':
		if end := scanString(b, i); end >= 0 {
			return end
		}
		return len(b)
	case '[', '{':
		return skipContainer(b, i)
	}
	for i < len(b) && !isSpace(b[i]) && b[i] != ',' && b[i] != ']' && b[i] != '}' {
		i++
	}
	return i
}

// skipContainer returns the index behind the array or object at i. Validity is not looked at again: brackets are counted,
// whatever their kind, and strings are jumped over.
func skipContainer(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = scanString(b, i); i < 0 {
				return len(b)
			}
			continue
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return i
}
