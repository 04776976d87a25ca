package socketio

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/maphash"
	"net/url"
	"strings"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// Clients of Socket.IO 2 (Options.AllowEIO3) speak revision 4 of Socket.IO's protocol.
// What differs from revision 5: they are in the default namespace without asking; their
// ids are made of the session's; what they have to say at a CONNECT is a query behind
// the namespace; the answer to it is empty, and a refusal is a bare value.

// maxEIO3Namespace bounds a namespace with its query, in bytes: a token has room. The
// name itself is bounded as that of everybody else.
const maxEIO3Namespace = 8 << 10

// Protocol returns the revision of Engine.IO that the client speaks: 4, or 3 for a
// client of Socket.IO 2. Node: socket.conn.protocol.
func (s *Socket) Protocol() int { return s.client.session.Protocol() }

// enter joins the default namespace for the client. Node: onconnection.
func (c *client) enter() {
	if err := c.judge(c.connect(&parser.Packet{Type: parser.Connect, Namespace: []byte("/")})); err != nil {
		c.session.Close()
	}
}

// limits is what the client's packets may ask for.
func (c *client) limits() *parser.Limits {
	if c.eio3 {
		return &c.server.limitsEIO3
	}
	return &c.server.limits
}

// cutQuery takes the query off the namespace of a packet. In a CONNECT it is the
// client's auth object, whatever else the packet holds.
func cutQuery(p *parser.Packet) error {
	nsp, query, has := bytes.Cut(p.Namespace, []byte("?"))
	if len(nsp) > parser.DefaultNamespace {
		return parser.ErrNamespace
	}
	p.Namespace = nsp
	if p.Type != parser.Connect {
		return nil
	}
	if p.Data = nil; has {
		p.Data = queryObject(string(query))
	}
	return nil
}

// queryObject returns a query as a JSON object of strings. Of a parameter that occurs
// twice the last one counts, and what is no escape stands for itself, as in Node's
// URLSearchParams.
func queryObject(query string) []byte {
	var names []string
	values := make(map[string]string)
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name = unescape(name)
		if _, twice := values[name]; !twice {
			names = append(names, name)
		}
		values[name] = unescape(value)
	}
	b := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = parser.AppendString(b, name)
		b = parser.AppendString(append(b, ':'), values[name])
	}
	return append(b, '}')
}

// unescape decodes one part of a query.
func unescape(s string) string {
	if text, err := url.QueryUnescape(s); err == nil {
		return text
	}
	return strings.ReplaceAll(s, "+", " ")
}

// idEIO3 is the id of a socket as its client knows it: the session's, behind the
// namespace's name unless that is the default one.
func (s *Socket) idEIO3() string {
	session := s.client.session.ID()
	if s.nsp.name == "/" {
		return session
	}
	return s.nsp.name + "#" + session
}

// seedsEIO3 make it impossible to name a session so that it is taken for another.
var seedsEIO3 = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// keyEIO3 is what tables have in place of that id: the session's, or, where the
// application has named it, something of the same length.
func keyEIO3(session string) (id socketID) {
	if len(session) == idLen {
		copy(id[:], session)
		return id
	}
	for i, seed := range seedsEIO3 {
		binary.LittleEndian.PutUint64(id[8*i:], maphash.String(seed, session))
	}
	return id
}

// socket returns the connected socket with this id, or nil.
func (n *Namespace) socket(id string) *Socket {
	if s := n.sockets.find(id); s != nil && !s.client.eio3 {
		return s
	}
	if !n.server.options.AllowEIO3 {
		return nil
	}
	session := id
	if n.name != "/" {
		rest, ok := strings.CutPrefix(id, n.name)
		if !ok || rest == "" || rest[0] != '#' {
			return nil
		}
		session = rest[1:]
	}
	key := keyEIO3(session)
	if s := n.sockets.find(string(key[:])); s != nil && s.client.eio3 && s.ID() == id {
		return s
	}
	return nil
}

// couldBeID reports whether a room may be called as a socket is.
func (n *Namespace) couldBeID(room string) bool {
	o := &n.server.options
	return len(room) == idLen || o.AllowEIO3 && (o.GenerateID != nil || strings.Contains(room, "#"))
}

// refusalEIO3 is the payload of a refusal: the error's data where there are any, else
// its message. Node sends data of any kind; the clients read strings, objects and lists.
func refusalEIO3(message string, data json.RawMessage) []byte {
	if data = bytes.TrimSpace(data); len(data) > 0 && (data[0] == '{' || data[0] == '[' || data[0] == '"' && len(data) > 2) {
		return data
	}
	return parser.AppendString(nil, message)
}
