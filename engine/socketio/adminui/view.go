package adminui

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Bounds of what is shown of one socket, in bytes and entries.
const (
	maxHeaders     = 40   // header lines, and query parameters
	maxHeaderBytes = 256  // of each
	maxDataBytes   = 4096 // of the values of shared keys
	maxRoomsShown  = 64
)

// view is a socket as admins are shown it.
type view struct {
	ID        string                     `json:"id"`
	ClientID  string                     `json:"clientId"`
	Transport string                     `json:"transport"`
	Namespace string                     `json:"nsp"`
	Data      map[string]json.RawMessage `json:"data"`
	Handshake handshake                  `json:"handshake"`
	Rooms     []string                   `json:"rooms"`
}

// handshake has Node's names. What a client proves its identity with is not in it.
type handshake struct {
	Address string            `json:"address"`
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
	Issued  int64             `json:"issued"` // ms since 1970
	Secure  bool              `json:"secure"`
	Time    string            `json:"time"`
	URL     string            `json:"url"`
	XDomain bool              `json:"xdomain"`
}

// viewOf looks at a socket. It may call what the application wrote, to encode values of
// shared keys.
func viewOf(s *socketio.Socket) *view {
	v := viewOfState(s.Namespace().Name(), s.State())
	v.ClientID, v.Transport = s.ConnID(), s.Transport().String()
	return v
}

// nodesOwn is where Node's admin UI keeps what a socket of another server has no field for.
const nodesOwn = "_admin"

// viewOfState is for sockets of other servers, too.
func viewOfState(nsp string, st socketio.SocketState) *view {
	v := &view{ID: st.ID, Namespace: nsp, Data: bounded(st.Data), Handshake: handshakeOf(st.Handshake), Rooms: st.Rooms}
	if raw, ok := st.Data[nodesOwn]; ok {
		var own struct{ ClientID, Transport string }
		if json.Unmarshal(raw, &own) == nil {
			v.ClientID, v.Transport = own.ClientID, own.Transport
		}
	}
	v.Rooms = v.Rooms[:min(len(v.Rooms), maxRoomsShown)]
	if v.Rooms == nil {
		v.Rooms = []string{}
	}
	return v
}

// size is about how many bytes the view has as JSON.
func (v *view) size() int {
	n := 512 + len(v.Handshake.URL)
	for name, value := range v.Handshake.Headers {
		n += len(name) + len(value) + 8
	}
	for name, value := range v.Handshake.Query {
		n += len(name) + len(value) + 8
	}
	for name, value := range v.Data {
		n += len(name) + len(value) + 8
	}
	for _, room := range v.Rooms {
		n += len(room) + 4
	}
	return n
}

// bounded is the values of shared keys without what is too large, or would be taken for
// an attachment.
func bounded(data map[string]json.RawMessage) map[string]json.RawMessage {
	left := make(map[string]json.RawMessage, len(data))
	room := maxDataBytes
	for name, value := range data {
		if name == nodesOwn {
			continue
		}
		if bytes.Contains(value, []byte("_placeholder")) {
			value = json.RawMessage(`"(not shown)"`)
		}
		if room -= len(name) + len(value); room < 0 {
			value = json.RawMessage(`"(too large)"`)
			name = cut(name)
		}
		left[name] = value
		if len(left) == maxHeaders {
			break
		}
	}
	return left
}

func handshakeOf(h *socketio.Handshake) handshake {
	v := handshake{
		Address: h.Address, Headers: make(map[string]string), Query: make(map[string]string),
		Issued: h.Issued, Secure: h.Secure, URL: shownURL(h.URL), XDomain: h.XDomain,
	}
	if !h.Time.IsZero() {
		v.Time = h.Time.Format("Mon Jan 02 2006 15:04:05 GMT-0700")
	}
	for name, values := range h.Headers {
		if len(v.Headers) == maxHeaders {
			break
		}
		v.Headers[strings.ToLower(cut(name))] = shown(name, strings.Join(values, ", "))
	}
	for name, values := range h.Query {
		if len(v.Query) == maxHeaders {
			break
		}
		v.Query[cut(name)] = shown(name, strings.Join(values, ","))
	}
	return v
}

// hidden stands for what is nobody's business, an admin's included.
const hidden = "(hidden)"

// telling are parts of names whose values prove who somebody is.
var telling = []string{
	"cookie", "auth", "token", "secret", "pass", "pwd", "key", "sid", "session", "signature", "sig", "jwt", "ticket", "credential", "code",
}

// harmless are names that have such a part.
var harmless = []string{"Sec-Websocket-Key", "Accept-Encoding"}

// shown is a value as admins see it.
func shown(name, value string) string {
	lower := strings.ToLower(name)
	if !slices.Contains(harmless, http.CanonicalHeaderKey(name)) && slices.ContainsFunc(telling, func(part string) bool { return strings.Contains(lower, part) }) {
		return hidden
	}
	if strings.Contains(value, "?") { // a URL, as that of the page in Referer
		return shownURL(value)
	}
	return cut(value)
}

// shownURL is the target of a request with its query as admins see it.
func shownURL(target string) string {
	path, query, found := strings.Cut(target, "?")
	if !found {
		return cut(target)
	}
	var parts []string
	for pair := range strings.SplitSeq(query, "&") {
		name, value, has := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); has && (err != nil || shown(plain, value) == hidden) {
			pair = name + "=" + hidden
		}
		parts = append(parts, pair)
	}
	return cut(path + "?" + strings.Join(parts, "&"))
}

// cut shortens what a client may have made long.
func cut(s string) string {
	if len(s) <= maxHeaderBytes {
		return s
	}
	return strings.ToValidUTF8(s[:maxHeaderBytes], "") + "…"
}
