package http1

import "iter"

// Limits of one request head.
const (
	MaxHeadBytes = 16 << 10 // request line and fields with their line ends, bytes; more is 431. Node: --max-http-header-size
	MaxLineBytes = 8 << 10  // request line with its line end, bytes; more is 414. RFC 9112 §3 recommends at least 8000
	MaxFields    = 100      // field lines of a head, and of a trailer section; more is 431
)

// Field is one field line of a request: the name as received, the value without
// the whitespace around it.
type Field struct{ Name, Value []byte }

// Request is one parsed request head. Its slices point into the buffer given to
// [ParseHead] and are valid as long as that is. It is meant to be reused, one per
// loop: the array behind Fields is kept. Its contents are undefined unless
// ParseHead has just returned n > 0. Loop-only.
type Request struct {
	Method []byte // a token, case kept
	Target []byte // the request target as received
	Path   []byte // target up to "?", percent-encoding valid but not decoded; absolute-form: the part after the authority, at least "/"; "*" for OPTIONS *
	Query  []byte // target after the first "?", not decoded, its percent-encoding not checked; nil when there is no "?"
	Minor  int    // HTTP/1.Minor: 0 or 1
	Fields []Field
	Host   []byte // value of Host, or the authority of an absolute-form target; empty only if the client sent it so or sent none in HTTP/1.0

	ContentLength int64 // bytes of body; 0 when there is none, -1 when chunked
	KeepAlive     bool  // the client allows another request on this connection (RFC 9112 §9.3)
	Expect100     bool  // a body follows and the client waits for Continue (RFC 9110 §10.1.1; never with HTTP/1.0)
	Upgrade       bool  // Connection has token upgrade and there is an Upgrade field (RFC 9110 §7.8; never with HTTP/1.0)
}

// Get returns the first value of the named field, nil when it is absent (a field
// with an empty value gives an empty, non-nil slice). The name's case does not
// matter. It does not allocate. Loop-only.
func (q *Request) Get(name string) []byte {
	for i := range q.Fields {
		if f := &q.Fields[i]; equalFold(f.Name, name) {
			return f.Value
		}
	}
	return nil
}

// Values yields all values of the named field in order, one per field line and
// not split at commas. The name's case does not matter. Loop-only.
func (q *Request) Values(name string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := range q.Fields {
			if f := &q.Fields[i]; equalFold(f.Name, name) && !yield(f.Value) {
				return
			}
		}
	}
}

// HasToken reports whether the comma-separated list in the named field, over all
// its lines, has the token. Case does not matter in either. It does not allocate.
// Loop-only.
func (q *Request) HasToken(name, token string) bool {
	for i := range q.Fields {
		if f := &q.Fields[i]; equalFold(f.Name, name) && hasToken(f.Value, token) {
			return true
		}
	}
	return false
}
