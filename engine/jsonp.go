package engine

import (
	"github.com/fanfare-go/fanfare/engine/http1"
	"github.com/fanfare-go/fanfare/engine/packet"
)

// JSONP is polling for browsers that may not read answers of another origin: a poll is a
// script that calls ___eio[j] with the payload, a post is a form (fact 26). Each request
// says by its j parameter that it is one.

// maxJSONPIndex is how many digits of an index are kept: a poll that is held keeps them.
const maxJSONPIndex = 20

// jsonp is the index a JSONP client calls its callback by, which is digits; ok says that
// the request is one.
func (s *Server) jsonp(q *http1.Request) (index string, ok bool) {
	if s.opts.NoJSONP {
		return "", false
	}
	j, n, valid := http1.QueryValue(q.Query, "j")
	if n != 1 || !valid {
		return "", false
	}
	digits := make([]byte, 0, min(len(j), maxJSONPIndex))
	for _, c := range j {
		if '0' <= c && c <= '9' && len(digits) < maxJSONPIndex {
			digits = append(digits, c)
		}
	}
	return string(digits), true
}

// admitsScript reports whether a page that asked for a JSONP script may read it. Scripts
// tell no Origin, and go with the user's cookies; but browsers young enough to need no
// JSONP tell whether the page is another site's.
func (k *CORS) admitsScript(q *http1.Request) bool {
	site := q.Get("Sec-Fetch-Site")
	return k.any() || len(site) == 0 || string(site) == "same-origin" || string(site) == "none"
}

// isJSONP reports whether the answer that is owed is to be a call.
func (h *httpState) isJSONP() bool { return h != nil && h.rare != nil && h.rare.jsonp }

// payloadOf is the body of a poll's answer: the payload, or a call with it.
func (h *httpState) payloadOf(payload []byte) []byte {
	if !h.isJSONP() {
		return payload
	}
	return packet.AppendJSONP(make([]byte, 0, len(payload)+len(payload)/4+32), h.rare.index, payload)
}

// formPayload takes the payload out of a form: its field d, read as Node does. ok is false
// where that cannot be decoded. A form without it, or with two, has no packets.
func formPayload(form []byte) (payload []byte, found, ok bool) {
	d, n, ok := http1.QueryValue(form, "d")
	if !ok || n != 1 {
		return nil, false, ok
	}
	return packet.UnescapeNewlines(d), true, true
}
