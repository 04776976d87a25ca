package socketiotest

import (
	"bytes"
	"encoding/json"
	"sync"
	"time"

	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// line is a client's connection, which its namespaces share. Its methods of an
// InnerReceiver are called on the server's loop.
type line struct {
	server  *Server
	options ConnectOptions
	inner   *engine.Inner

	mu      sync.Mutex
	clients map[string]*Client // by namespace; guarded by mu
	binary  *parser.Binary     // a packet that waits for attachments; guarded by mu
	changed chan struct{}      // closed when something has come; guarded by mu
	ended   bool               // guarded by mu
}

func newLine(s *Server, o ConnectOptions) *line {
	return &line{server: s, options: o, clients: make(map[string]*Client), changed: make(chan struct{})}
}

// enter makes c the one in its namespace; false where there is one.
func (l *line) enter(c *Client) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old := l.clients[c.namespace]; l.ended || old != nil && old.state <= connected {
		return false
	}
	l.clients[c.namespace] = c
	return true
}

// wait returns true as soon as cond is; it is called with mu held.
func (l *line) wait(cond func() bool) bool {
	late := time.NewTimer(l.server.Patience)
	defer late.Stop()
	for {
		l.mu.Lock()
		ok, changed := cond(), l.changed
		l.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-late.C:
			return false
		}
	}
}

// change tells those who wait. Called with mu held.
func (l *line) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// limits are wide: what the server sends is not judged here.
var limits = parser.Limits{Attachments: parser.MaxAttachments, Depth: parser.MaxDepth, Namespace: 1 << 16}

// Text implements engine.InnerReceiver.
func (l *line) Text(data []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := parser.Decode(bytes.Clone(data), &limits)
	switch {
	case err != nil:
		l.server.t.Errorf("socketiotest: the server sent what is no packet (has it an Options.Parser?): %v: %q", err, data)
	case p.Type.Binary():
		l.binary = parser.NewBinary(p)
		l.binary.MaxBytes = 1 << 40
	default:
		l.take(&p, nil)
	}
}

// Binary implements engine.InnerReceiver.
func (l *line) Binary(data []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.binary == nil {
		l.server.t.Errorf("socketiotest: the server sent an attachment of nothing")
		return
	}
	if complete, err := l.binary.Add(data); err != nil || !complete {
		return
	}
	p, attachments := l.binary.Packet()
	l.binary = nil
	l.take(&p, attachments)
}

// Closed implements engine.InnerReceiver.
func (l *line) Closed(engine.Reason) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for _, c := range l.clients {
		c.end(TransportClose)
	}
	l.change()
}

// take gives a packet to the client it is for. Called with mu held.
func (l *line) take(p *parser.Packet, attachments [][]byte) {
	c := l.clients[string(p.Namespace)]
	if c == nil {
		l.server.t.Errorf("socketiotest: a packet for namespace %s, which nobody is in", p.Namespace)
		return
	}
	switch p.Type {
	case parser.Connect:
		var answer struct{ SID, PID string }
		_ = json.Unmarshal(p.Data, &answer)
		c.recovered = c.wasPID != "" && c.wasPID == answer.PID
		c.id, c.pid, c.state = answer.SID, answer.PID, connected
	case parser.ConnectError:
		var answer struct {
			Message string
			Data    json.RawMessage
		}
		_ = json.Unmarshal(p.Data, &answer)
		c.refusal = &socketio.ConnectError{Message: answer.Message}
		if answer.Data != nil {
			c.refusal.Data = answer.Data
		}
		c.state = refused
	case parser.Disconnect:
		c.end(ServerDisconnect)
	case parser.Event, parser.BinaryEvent:
		c.event(p, attachments)
	case parser.Ack, parser.BinaryAck:
		c.acknowledged(p, attachments)
	}
	l.change()
}
