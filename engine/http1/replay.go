package http1

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// AppendRequestHead appends the head of a request that net/http has parsed, so
// that a connection hijacked from it can be served from bytes again: request line
// from RequestURI, Host, Content-Length or Transfer-Encoding, then the other fields
// sorted by name. [ParseHead] reads it with the same meaning, and refuses it where
// it is stricter than net/http.
//
// Middleware may have put anything into r. Fields whose names are not tokens are
// left out, control bytes in values become spaces, and octets of the method and the
// target that ParseHead refuses are percent-encoded. Safe for concurrent use as long as r is
// not changed meanwhile.
func AppendRequestHead(dst []byte, r *http.Request) []byte {
	dst = appendOctets(dst, r.Method, tokenOctet)
	dst = append(dst, ' ')
	dst = appendTarget(dst, r)
	if r.ProtoAtLeast(1, 1) {
		dst = append(dst, " HTTP/1.1\r\n"...)
	} else {
		dst = append(dst, " HTTP/1.0\r\n"...)
	}
	if r.Host != "" || r.ProtoAtLeast(1, 1) {
		dst = AppendField(dst, "Host", r.Host)
	}
	switch {
	case len(r.TransferEncoding) > 0:
		dst = AppendField(dst, "Transfer-Encoding", "chunked") // the only one net/http lets through
	case r.ContentLength > 0:
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, r.ContentLength, 10)
		dst = append(dst, "\r\n"...)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		switch http.CanonicalHeaderKey(name) {
		case "Host", "Content-Length", "Transfer-Encoding":
			continue
		}
		for _, value := range r.Header[name] {
			dst = AppendField(dst, name, value)
		}
	}
	return append(dst, "\r\n"...)
}

func appendTarget(dst []byte, r *http.Request) []byte {
	target := r.RequestURI
	if target == "" && r.URL != nil { // made by a program, not received
		target = r.URL.RequestURI()
	}
	return appendOctets(dst, target, targetOctet)
}

// appendOctets percent-encodes the octets of s that are not of the class.
func appendOctets(dst []byte, s string, class uint8) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range []byte(s) {
		if octets[c]&class != 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

// AppendField appends a field line that cannot become two, whatever the application
// put into it: nothing where the name is no token, and spaces for control bytes in the
// value. Safe for concurrent use.
func AppendField(dst []byte, name, value string) []byte {
	if name == "" || !all([]byte(name), tokenOctet) {
		return dst
	}
	dst = append(dst, name...)
	dst = append(dst, ": "...)
	for _, c := range []byte(value) {
		if octets[c]&valueOctet == 0 {
			c = ' '
		}
		dst = append(dst, c)
	}
	return append(dst, "\r\n"...)
}
