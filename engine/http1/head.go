package http1

import "bytes"

// ParseHead parses one request head at the start of b into q.
//
//   - n > 0: the head is complete and took n bytes; its body, if any, follows.
//   - n == 0 and err == nil: incomplete. Call again with the same bytes and more
//     behind them.
//   - err != nil: an [*Error]. Answer with its status and close.
//
// scanned says how many bytes of b an earlier incomplete call has seen: 0 at first,
// then the len(b) of that call. It makes a head that drips in byte by byte cost
// linear time: every line is checked once, when it is complete, and the whole once
// more at its end. A fault or an exceeded limit is reported as soon as its line is
// complete (a first byte that cannot begin a method: at once), so that a peer that
// does not speak HTTP is not waited for.
//
// Loop-only. It does not allocate once q.Fields has grown, except for a host that
// is an IPv6 literal.
func ParseHead(b []byte, scanned int, q *Request) (n int, err error) {
	b = b[:min(len(b), MaxHeadBytes)]
	if scanned > 0 {
		if ended, err := q.checkNewLines(b, min(scanned, len(b))); !ended {
			return 0, err
		}
	}
	*q = Request{Fields: q.Fields}
	at, err := q.readRequestLine(b)
	if at == 0 {
		return 0, err
	}
	if n, err = q.readFields(b, at, MaxFields); n == 0 {
		return 0, err
	}
	if err := q.interpret(); err != nil {
		return 0, err
	}
	return n, nil
}

// checkNewLines checks the field lines that the bytes from scanned on have
// completed, with q as scratch. ended is false if the head goes on or has a fault;
// true means that it has to be parsed from its start.
func (q *Request) checkNewLines(b []byte, scanned int) (ended bool, err error) {
	if bytes.IndexByte(b[scanned:], '\n') < 0 {
		return false, checkLength(b)
	}
	at := bytes.LastIndexByte(b[:scanned], '\n') + 1
	if at == 0 {
		return true, nil // nothing but a part of the request line was known
	}
	fields := bytes.Count(b[:at], []byte{'\n'}) - 1 // the request line is none
	end, err := q.readFields(b, at, MaxFields-fields)
	return end > 0, err
}

// checkLength tells whether a head of which b is an unfinished part may go on.
func checkLength(b []byte) error {
	if len(b) >= MaxLineBytes && bytes.IndexByte(b[:MaxLineBytes], '\n') < 0 {
		return ErrLineLength
	}
	if len(b) >= MaxHeadBytes {
		return ErrHeadLength
	}
	return nil
}

// readRequestLine reads "method SP target SP version CRLF" (RFC 9112 §3) at the
// start of b and returns where the next line starts, or 0.
func (q *Request) readRequestLine(b []byte) (next int, err error) {
	if len(b) > 0 && octets[b[0]]&tokenOctet == 0 {
		return 0, ErrMethod
	}
	i := bytes.IndexByte(b[:min(len(b), MaxLineBytes)], '\n')
	if i < 0 {
		return 0, checkLength(b)
	}
	if i == 0 || b[i-1] != '\r' {
		return 0, ErrLineEnd
	}
	method, rest, _ := cut(b[:i-1], ' ')
	if !all(method, tokenOctet) {
		return 0, ErrMethod
	}
	target, version, ok := cut(rest, ' ')
	if !ok {
		return 0, ErrRequestLine
	}
	q.Method = method
	if err := q.readVersion(version); err != nil {
		return 0, err
	}
	if string(method) == "CONNECT" {
		return 0, ErrConnect
	}
	if err := q.readTarget(target); err != nil {
		return 0, err
	}
	return i + 1, nil
}

// readVersion reads "HTTP/" DIGIT "." DIGIT (RFC 9112 §2.3).
func (q *Request) readVersion(v []byte) error {
	switch {
	case string(v) == "HTTP/1.1":
		q.Minor = 1
	case string(v) == "HTTP/1.0":
		q.Minor = 0
	case len(v) == 8 && string(v[:5]) == "HTTP/" && isDigit(v[5]) && v[6] == '.' && isDigit(v[7]):
		return ErrVersion
	default:
		return ErrRequestLine
	}
	return nil
}

// readFields sets q.Fields to the fields of the complete lines of b from at on, at
// most room of them. It returns the end of the head, or 0 while the empty line
// that ends it is missing.
func (q *Request) readFields(b []byte, at, room int) (end int, err error) {
	fields := q.Fields[:0]
	defer func() { q.Fields = fields }() // keeps an array that has grown
	for {
		rest := b[at:]
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return 0, checkLength(b)
		}
		if i == 0 || rest[i-1] != '\r' {
			return 0, ErrLineEnd
		}
		at += i + 1
		if i == 1 {
			return at, nil
		}
		if len(fields) == room {
			return 0, ErrFieldCount
		}
		name, value, err := splitField(rest[:i-1])
		if err != nil {
			return 0, err
		}
		fields = append(fields, Field{Name: name, Value: value})
	}
}

// splitField checks and splits a field line without its line end (RFC 9112 §5).
func splitField(line []byte) (name, value []byte, err error) {
	i := 0
	for i < len(line) && octets[line[i]]&tokenOctet != 0 {
		i++
	}
	if i == 0 && isOWS(line[0]) {
		return nil, nil, ErrFold
	}
	if i == 0 || i == len(line) || line[i] != ':' {
		return nil, nil, ErrFieldName
	}
	value = trimOWS(line[i+1:])
	if !validValue(value) {
		return nil, nil, ErrFieldValue
	}
	return line[:i], value, nil
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
