package natsadapter

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
)

// Subjects says which subjects broadcasts to one room travel on. All servers of a
// cluster must say the same; Node.Ready complains where they do not.
type Subjects uint8

// The ways to lay out subjects.
const (
	// Hashed spreads rooms over Options.Shards subjects for each namespace. A server
	// hears those that some room with sockets of its own falls on. The default: a bound on
	// subscriptions, and most of what PerRoom saves.
	Hashed Subjects = iota
	// Static has one subject for each namespace: every server hears every broadcast.
	Static
	// PerRoom has a subject for each room: a server hears just the rooms that have
	// sockets of its own, for 1.6 KiB of memory and a line to every other server each.
	PerRoom
)

// The parts of a subject: sio.<cluster>.<namespace>.<what>, and behind it the room, the
// shard or the server. What is said between servers, of no namespace, has the token of
// one that cannot be: names begin with a slash.
const (
	root        = "sio."
	nodeToken   = "_"
	toAll       = ".b"
	toRoom      = ".r."
	questions   = ".q"
	toOne       = ".u."
	maxToken    = 200 // bytes; what is longer is hashed. A subject with two such fits a control line (4,096 bytes)
	socketIDLen = 20  // characters of a socket's id
)

// token is name as one token of a subject: letters, digits and -_ as they are, all else as
// %XX, since blanks, dots, * and > mean something there. Long ones are hashed.
func token(name string) string {
	plain := 0
	for i := range len(name) {
		if isPlain(name[i]) {
			plain++
		}
	}
	switch size := plain + 3*(len(name)-plain); {
	case name == "":
		return "%"
	case size > maxToken:
		sum := sha256.Sum256([]byte(name))
		return "~" + base64.RawURLEncoding.EncodeToString(sum[:])
	case plain == len(name):
		return name
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, plain+3*(len(name)-plain))
	for i := range len(name) {
		if c := name[i]; isPlain(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// shardOf is the shard a room falls on (FNV-1a, 32 bits): every server must find the same.
func shardOf(room string, shards int) int {
	h := uint32(2166136261)
	for i := range len(room) {
		h = (h ^ uint32(room[i])) * 16777619
	}
	return int(h % uint32(shards)) //nolint:gosec // Options bound it
}

// layout is what a room's subject ends in, behind toRoom; empty where its broadcasts go to
// all. A room that could be a socket's id is not told apart from one: no server says which
// sockets it has.
func (o *Options) layout(room string) string {
	switch {
	case o.Subjects == Static || len(room) == socketIDLen:
		return ""
	case o.Subjects == PerRoom:
		return token(room)
	}
	return strconv.Itoa(shardOf(room, o.Shards))
}

// address is a subject taken apart.
type address struct {
	namespace string // its token
	kind      byte   // b, r, q or u
}

// addressOf takes apart what follows the prefix of the cluster; false for what is none of ours.
func addressOf(rest string) (a address, ok bool) {
	dot := strings.IndexByte(rest, '.')
	if dot < 1 || dot+1 >= len(rest) {
		return a, false
	}
	a = address{rest[:dot], rest[dot+1]}
	behind := rest[dot+2:]
	switch a.kind {
	case 'b', 'q':
		return a, behind == ""
	case 'r', 'u':
		return a, len(behind) > 1 && behind[0] == '.'
	}
	return a, false
}
