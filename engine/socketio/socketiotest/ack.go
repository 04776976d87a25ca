package socketiotest

import (
	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Ack is an acknowledgement that the server was asked for.
type Ack struct {
	client *Client
	event  string
	args   *socketio.Args // guarded by the line's mu, as lost
	lost   bool           // the client is disconnected
}

// EmitAck sends an event, waits for its acknowledgement and returns the arguments of
// that. A handler that fails sends none, so that the test does, too: see [Client.Ask] for
// that case. Node: socket.emitWithAck.
func (c *Client) EmitAck(event string, args ...any) socketio.Args {
	c.t.Helper()
	return c.Ask(event, args...).Args()
}

// Ask sends an event that asks for an acknowledgement, and returns at once.
func (c *Client) Ask(event string, args ...any) *Ack {
	c.t.Helper()
	c.requireConnected()
	a := &Ack{client: c, event: event}
	c.line.mu.Lock()
	id := c.nextAck
	c.nextAck++
	if c.acks == nil {
		c.acks = make(map[uint64]*Ack)
	}
	c.acks[id] = a
	c.line.mu.Unlock()
	c.send(event, args, id, true)
	return a
}

// Args waits for the acknowledgement and returns its arguments.
func (a *Ack) Args() socketio.Args {
	c := a.client
	c.t.Helper()
	c.line.wait(func() bool { return a.args != nil || a.lost })
	if !a.Answered() {
		c.t.Fatalf("socketiotest: event %q was not acknowledged%s", a.event, c.why())
		return socketio.Args{}
	}
	return *a.args
}

// Expect waits for the acknowledgement, whose arguments must be these.
func (a *Ack) Expect(want ...any) {
	a.client.t.Helper()
	requireArgs(a.client.t, "acknowledgement of "+a.event, a.Args(), want)
}

// Answered reports whether the acknowledgement has come. After [Server.Settle], false
// means that the handler has not given one.
func (a *Ack) Answered() bool {
	a.client.line.mu.Lock()
	defer a.client.line.mu.Unlock()
	return a.args != nil
}

// acknowledged takes an ACK packet. Called with line.mu held.
func (c *Client) acknowledged(p *parser.Packet, attachments [][]byte) {
	a := c.acks[p.ID]
	if a == nil {
		c.t.Errorf("socketiotest: an acknowledgement that nobody asked for, of number %d", p.ID)
		return
	}
	delete(c.acks, p.ID)
	args, err := socketio.ParseArgs(p.Data, attachments)
	if err != nil {
		c.t.Errorf("socketiotest: acknowledgement of %q: %v", a.event, err)
		return
	}
	a.args = &args
}
