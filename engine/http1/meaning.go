package http1

// meaning collects the fields that decide how a message is framed and whom it is
// for, so that they are judged together when the head is complete.
type meaning struct {
	hosts, lengths, codings int // how often Host, Content-Length, Transfer-Encoding occur
	host, length, coding    []byte

	close, keepAlive, upgrade bool // Connection tokens
	protocol                  bool // an Upgrade field with a value
	expect, badExpect         bool // 100-continue, anything else
	badTrailer                bool
}

// interpret sets what the fields mean, or refuses the request for it.
func (q *Request) interpret() error {
	var m meaning
	for i := range q.Fields {
		m.note(&q.Fields[i])
	}
	if err := q.setHost(&m); err != nil {
		return err
	}
	if err := q.setLength(&m); err != nil {
		return err
	}
	switch {
	case m.badTrailer:
		return ErrTrailer
	case m.badExpect:
		return ErrExpect
	}
	q.KeepAlive = !m.close && (q.Minor == 1 || m.keepAlive)
	q.Upgrade = m.upgrade && m.protocol && q.Minor == 1
	q.Expect100 = m.expect && q.Minor == 1 && q.ContentLength != 0
	return nil
}

// note takes down one field. The length of its name rules most fields out.
func (m *meaning) note(f *Field) {
	switch len(f.Name) {
	case len("Host"):
		if equalFold(f.Name, "host") {
			m.hosts, m.host = m.hosts+1, f.Value
		}
	case len("Expect"):
		if equalFold(f.Name, "expect") {
			known := equalFold(f.Value, "100-continue")
			m.expect, m.badExpect = m.expect || known, m.badExpect || !known
		}
	case len("Upgrade"): // and Trailer
		if equalFold(f.Name, "upgrade") {
			m.protocol = m.protocol || len(f.Value) > 0
		} else if equalFold(f.Name, "trailer") {
			m.badTrailer = m.badTrailer || hasToken(f.Value, "content-length") ||
				hasToken(f.Value, "transfer-encoding") || hasToken(f.Value, "trailer")
		}
	case len("Connection"):
		if equalFold(f.Name, "connection") {
			m.noteConnection(f.Value)
		}
	case len("Content-Length"):
		if equalFold(f.Name, "content-length") {
			m.lengths, m.length = m.lengths+1, f.Value
		}
	case len("Transfer-Encoding"):
		if equalFold(f.Name, "transfer-encoding") {
			m.codings, m.coding = m.codings+1, f.Value
		}
	}
}

func (m *meaning) noteConnection(list []byte) {
	for len(list) > 0 {
		var token []byte
		token, list = nextElement(list)
		switch {
		case equalFold(token, "upgrade"):
			m.upgrade = true
		case equalFold(token, "keep-alive"):
			m.keepAlive = true
		case equalFold(token, "close"):
			m.close = true
		}
	}
}

// setHost applies RFC 9112 §3.2. An absolute-form target has set q.Host already;
// RFC 9112 §3.2.2 would let it win over the field, but a gateway in front may have
// read the other one.
func (q *Request) setHost(m *meaning) error {
	switch {
	case m.hosts > 1, m.hosts == 0 && q.Minor == 1:
		return ErrHost
	case m.hosts == 0:
		return nil
	case len(m.host) > 0 && !validAuthority(m.host):
		return ErrHost
	case q.Host == nil:
		q.Host = m.host
	case !equalFoldBytes(q.Host, m.host):
		return ErrHost
	}
	return nil
}

// setLength applies RFC 9112 §6.3 in its strictest reading.
func (q *Request) setLength(m *meaning) error {
	switch {
	case m.codings > 0 && m.lengths > 0:
		return ErrLengthAndCoding
	case m.codings > 0:
		if err := checkCoding(m, q.Minor); err != nil {
			return err
		}
		q.ContentLength = -1
	case m.lengths > 1:
		return ErrContentLength
	case m.lengths == 1:
		n, ok := parseLength(m.length)
		if !ok {
			return ErrContentLength
		}
		q.ContentLength = n
	}
	return nil
}

// checkCoding accepts exactly one Transfer-Encoding field saying "chunked", in
// HTTP/1.1. Anything that follows chunked is malformed, any other coding unknown.
func checkCoding(m *meaning, minor int) error {
	if minor == 0 || m.codings > 1 {
		return ErrTransferCoding
	}
	if equalFold(m.coding, "chunked") {
		return nil
	}
	first, _ := nextElement(m.coding)
	coding, _, _ := cut(first, ';') // parameters
	coding = trimOWS(coding)
	if len(coding) == 0 || !all(coding, tokenOctet) || equalFold(coding, "chunked") {
		return ErrTransferCoding
	}
	return ErrUnknownCoding
}

// parseLength reads 1*DIGIT that fits an int64.
func parseLength(b []byte) (n int64, ok bool) {
	if len(b) == 0 {
		return 0, false
	}
	for _, c := range b {
		if !isDigit(c) || n > (1<<63-1-int64(c-'0'))/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// equalFoldBytes is equalFold for two slices.
func equalFoldBytes(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
