package cluster

import (
	"strconv"
	"strings"
)

// A mark is what a client's offset says here: it has received what the log has up to
// base and, beyond that, what the sender uid has appended with numbers up to sequence,
// which its server has delivered before it came back from the log. As text it is the
// base alone or, with the other two, "base.uid.sequence": at most 64 characters, as package
// socketio has it.
type mark struct {
	base     string
	uid      string
	sequence uint64
}

// Bounds on the parts of a mark, in bytes. An offset of Redis is a time in ms, 13
// digits, a dash and a count; NewUID's are 16; the sequence, base 36, is 13 at most.
const (
	maxOffset   = 30
	maxMarkUID  = 19
	markNumbers = 36
)

func (m mark) String() string {
	if m.uid == "" {
		return m.base
	}
	return m.base + "." + m.uid + "." + strconv.FormatUint(m.sequence, markNumbers)
}

// parseMark reads a mark, which may come from any client.
func parseMark(log Log, text string) (m mark, ok bool) {
	base, rest, more := strings.Cut(text, ".")
	if len(base) > maxOffset || !log.Valid(base) {
		return m, false
	}
	m.base = base
	if !more {
		return m, true
	}
	uid, number, ok := strings.Cut(rest, ".")
	if !ok || uid == "" || len(uid) > maxMarkUID || len(number) > 13 {
		return m, false
	}
	n, err := strconv.ParseUint(number, markNumbers, 64)
	m.uid, m.sequence = uid, n
	return m, err == nil
}

// has reports whether who is at the mark has received an event behind the base.
func (m mark) has(e *event) bool {
	return m.uid != "" && e.uid == m.uid && e.sequence > 0 && e.sequence <= m.sequence
}
