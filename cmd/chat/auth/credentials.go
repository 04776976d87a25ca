package auth

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// maxAuth bounds what a client says of itself, in bytes: there is a token in it, and
// what its backend wants to know besides.
const maxAuth = 64 << 10

// tokenOf returns the token of a client that connects, from the first place of these
// that has one: auth.token, the header Authorization, the cookie of this name. A place with
// something that cannot be a token is an error, and no reason to look in the next.
func tokenOf(h *socketio.Handshake, cookie string) (string, error) {
	if token, err := authToken(h.Auth); token != "" || err != nil {
		return token, err
	}
	if token, err := bearer(h.Headers); token != "" || err != nil {
		return token, err
	}
	if cookie == "" {
		return "", nil
	}
	return cookieToken(h.Headers, cookie)
}

// authToken reads {"token": "…"}; null and "" are what pages send that have none.
func authToken(auth []byte) (string, error) {
	if len(auth) == 0 {
		return "", nil
	}
	var object struct{ Token json.RawMessage }
	if len(auth) > maxAuth || json.Unmarshal(auth, &object) != nil {
		return "", refusedInvalid
	}
	return textToken(object.Token)
}

// textToken reads a JSON string, or null.
func textToken(raw []byte) (token string, err error) {
	if raw == nil {
		return "", nil
	}
	if json.Unmarshal(raw, &token) != nil {
		return "", refusedInvalid
	}
	return token, nil
}

// bearer reads "Authorization: Bearer …" (RFC 6750, 2.1). Other schemes are somebody else's,
// such as a proxy's.
func bearer(h http.Header) (string, error) {
	lines := h.Values("Authorization")
	if len(lines) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(strings.TrimSpace(lines[0]), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	if token = strings.TrimSpace(token); token == "" || len(lines) > 1 {
		return "", refusedInvalid
	}
	return token, nil
}

// cookieToken reads a cookie. Where there are two of that name, a subdomain may have set
// one of them for its visitors: whose token it is cannot be said.
func cookieToken(h http.Header, name string) (string, error) {
	found := (&http.Request{Header: h}).CookiesNamed(name)
	switch {
	case len(found) == 0:
		return "", nil
	case len(found) > 1:
		return "", refusedInvalid
	}
	return found[0].Value, nil
}
