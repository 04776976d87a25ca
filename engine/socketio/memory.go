package socketio

import (
	"github.com/fanfare-go/fanfare/engine"
	"github.com/fanfare-go/fanfare/engine/parser"
)

// MemoryAdapter is the Adapter of a server that is alone, and the local half of
// every other: rooms are groups of sessions in the engine, whose loops keep the
// index. A socket's id is not in that index; it is resolved here.
type MemoryAdapter struct {
	nsp      *Namespace     // immutable
	everyone *engine.Target // immutable: broadcasts without rooms need no other
}

var _ Adapter = (*MemoryAdapter)(nil)

func newMemoryAdapter(n *Namespace) *MemoryAdapter {
	return &MemoryAdapter{nsp: n, everyone: &engine.Target{Groups: []string{n.everyone}}}
}

// Namespace returns the namespace whose rooms these are.
func (a *MemoryAdapter) Namespace() *Namespace { return a.nsp }

// Join implements Adapter.
func (a *MemoryAdapter) Join(s *Socket, rooms []string) {
	if l := a.nsp.server.log; l.recovery != nil {
		l.join(s, rooms)
		return
	}
	for _, r := range rooms {
		s.client.session.Join(a.nsp.group(r))
	}
}

// Leave implements Adapter.
func (a *MemoryAdapter) Leave(s *Socket, rooms []string) {
	if l := a.nsp.server.log; l.recovery != nil {
		l.leave(s, rooms)
		return
	}
	a.leave(s, rooms)
}

func (a *MemoryAdapter) leave(s *Socket, rooms []string) {
	for _, r := range rooms {
		s.client.session.Leave(a.nsp.group(r))
	}
}

// LeaveAll implements Adapter.
func (a *MemoryAdapter) LeaveAll(s *Socket, rooms []string, closed bool) {
	if !closed {
		a.leave(s, rooms)
	}
}

// Broadcast implements Adapter: one frame, handed to each loop.
func (a *MemoryAdapter) Broadcast(p *Broadcast) error {
	if l := a.nsp.server.log; l.on() {
		return l.broadcast(a, p, false, a.nsp.position())
	}
	return a.publish(p)
}

func (a *MemoryAdapter) publish(p *Broadcast) error {
	f, err := a.nsp.newFrame(parser.Event, 0, false, p.Array, p.Attachments)
	if err != nil {
		return err
	}
	p.Flags.mark(f)
	a.nsp.server.engine.Publish(f, a.target(p.Rooms, p.Except))
	f.Release()
	return nil
}

// Close implements Adapter.
func (a *MemoryAdapter) Close() error { return nil }

// target translates rooms into groups and sessions.
func (a *MemoryAdapter) target(rooms, except []string) *engine.Target {
	if len(rooms)+len(except) == 0 {
		return a.everyone
	}
	t := new(engine.Target)
	t.Groups, t.Sessions = a.resolve(rooms)
	t.ExceptGroups, t.ExceptSessions = a.resolve(except)
	if len(rooms) == 0 {
		t.Groups = a.everyone.Groups
	}
	return t
}

// resolve looks each room up among the socket ids. What is no id is a group;
// what is one may have been joined as a room by other sockets, too.
func (a *MemoryAdapter) resolve(rooms []string) (groups []string, sessions []*engine.Session) {
	if len(rooms) == 0 {
		return nil, nil
	}
	groups = make([]string, 0, len(rooms))
	for _, r := range rooms {
		groups = append(groups, a.nsp.group(r))
		if s := a.nsp.socket(r); s != nil {
			sessions = append(sessions, s.client.session)
		}
	}
	return groups, sessions
}
