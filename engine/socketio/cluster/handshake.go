package cluster

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// jsDate is how JavaScript writes a Date as a string, in UTC.
const jsDate = "Mon Jan 02 2006 15:04:05 GMT-0700 (Coordinated Universal Time)"

// AppendHandshake appends h as the object that Node's servers say to each other; nil is
// one that says nothing.
func AppendHandshake(dst []byte, h *socketio.Handshake) []byte {
	if h == nil {
		h = new(socketio.Handshake)
	}
	w := objectWriter{append(dst, '{'), false}
	w.key("headers")
	w.b = appendHeaders(w.b, h.Headers)
	date := ""
	if !h.Time.IsZero() {
		date = h.Time.UTC().Format(jsDate)
	}
	w.text("time", date)
	w.text("address", h.Address)
	w.bool("xdomain", h.XDomain)
	w.bool("secure", h.Secure)
	w.key("issued")
	w.b = strconv.AppendInt(w.b, h.Issued, 10)
	w.text("url", h.URL)
	w.key("query")
	w.b = appendValues(w.b, h.Query)
	w.key("auth")
	if auth := h.Auth; len(auth) > 0 && auth[0] == '{' && sound(auth) {
		w.b = append(w.b, auth...)
	} else {
		w.b = append(w.b, "{}"...)
	}
	return append(w.b, '}')
}

// appendHeaders writes names in lower case and one value for each, as node:http has it.
func appendHeaders(dst []byte, h http.Header) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(h)) {
		between := ", "
		if name == "Cookie" {
			between = "; "
		}
		dst = appendKey(dst, strings.ToLower(name), i > 0)
		dst = parser.AppendString(dst, strings.Join(h[name], between))
	}
	return append(dst, '}')
}

// appendValues writes a value that is alone as a string, several as an array.
func appendValues(dst []byte, values url.Values) []byte {
	dst = append(dst, '{')
	some := false
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		if len(v) == 0 {
			continue
		}
		dst = appendKey(dst, name, some)
		some = true
		if len(v) == 1 {
			dst = parser.AppendString(dst, v[0])
		} else {
			dst = appendStrings(dst, v)
		}
	}
	return append(dst, '}')
}

// parseHandshake reads what AppendHandshake writes, and what Node does. Fields that are
// something else are left empty: nothing depends on them.
func parseHandshake(object []byte, attachments [][]byte) *socketio.Handshake {
	h := &socketio.Handshake{Headers: http.Header{}, Query: url.Values{}}
	date := ""
	m := parser.NewMembers(object)
	for key, v, ok := m.Next(); ok; key, v, ok = m.Next() {
		switch string(key) {
		case "headers":
			eachText(v, func(name, value string) { h.Headers.Add(name, value) })
		case "time":
			date, _ = textOf(v)
		case "address":
			h.Address, _ = textOf(v)
		case "xdomain":
			h.XDomain = string(v) == "true"
		case "secure":
			h.Secure = string(v) == "true"
		case "issued":
			h.Issued, _ = strconv.ParseInt(string(v), 10, 64)
		case "url":
			h.URL, _ = textOf(v)
		case "query":
			eachText(v, func(name, value string) { h.Query.Add(name, value) })
		case "auth":
			if v, err := parser.AppendInlined(nil, v, attachments); err == nil && v[0] == '{' && string(v) != "{}" {
				h.Auth = v
			}
		}
	}
	if h.Issued > 0 {
		h.Time = time.UnixMilli(h.Issued).UTC()
	} else if t, err := time.Parse(jsDate, date); err == nil {
		h.Time = t
	}
	return h
}

// eachText calls f for the strings of an object's members, alone or in arrays.
func eachText(object []byte, f func(name, value string)) {
	m := parser.NewMembers(object)
	for key, v, ok := m.Next(); ok; key, v, ok = m.Next() {
		if s, ok := textOf(v); ok {
			f(string(key), s)
			continue
		}
		list := parser.NewArgs(v)
		for v, ok := list.Next(); ok; v, ok = list.Next() {
			if s, ok := textOf(v); ok {
				f(string(key), s)
			}
		}
	}
}
