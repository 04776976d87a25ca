package cluster

import (
	"fmt"
	"sync"

	"github.com/fanfare-go/fanfare/engine/parser"
	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Receive takes a message of another server, which is looked at before it is believed.
// Calls for messages of one sender must not overlap. It does not block, and keeps nothing
// of m but what never changes: its rooms, and the bytes of its attachments.
func (a *Adapter) Receive(m *Message) {
	if m.UID == a.uid {
		return
	}
	a.stats.received.Add(1)
	if !m.hasShortNames() {
		a.Malformed(malformed("long name"))
		return
	}
	if !a.opened.Load() && a.early.keep(a, m) {
		return
	}
	a.peers.count(a, m)
	if err := a.obey(m); err != nil {
		a.Malformed(err)
	}
}

// hasShortNames looks at the texts that are kept, whichever way the message was read.
func (m *Message) hasShortNames() bool {
	return max(len(m.UID), len(m.RequestID), len(m.SocketID), len(m.Failed), len(m.PID)) <= maxName
}

// Malformed is for a Link: something came that is no message. It is counted.
func (a *Adapter) Malformed(err error) {
	a.stats.malformed.Add(1)
	a.options.Logger.Debug("cluster: message refused", "namespace", a.Namespace().Name(), "error", err)
}

// obey does what m says.
func (a *Adapter) obey(m *Message) error {
	switch m.Type {
	case Broadcast:
		if err := m.Packet.checkEvent(); err != nil {
			return err
		}
		if m.RequestID != "" {
			return a.serve(m)
		}
		return a.MemoryAdapter.Broadcast(m.broadcast())
	case SocketsJoin:
		return a.MemoryAdapter.AddSockets(m.Opts.selection(), m.Rooms)
	case SocketsLeave:
		return a.MemoryAdapter.DelSockets(m.Opts.selection(), m.Rooms)
	case DisconnectSockets:
		return a.MemoryAdapter.DisconnectSockets(m.Opts.selection(), m.Close)
	case FetchSockets:
		a.fetch(m)
	case CountSockets:
		a.tellCount(m)
	case RoomSizes:
		a.tellSizes(m)
	case ServerSideEmit:
		return a.serverSide(m)
	case FetchSocketsResponse, ServerSideEmitResponse, BroadcastClientCount, BroadcastAck, CountSocketsResponse, RoomSizesResponse:
		return a.answered(m)
	case Tally:
		a.peers.tally(a, m)
	case AdapterClose:
		a.Gone(m.UID)
	}
	return nil
}

// Gone says that a server which Link.Others has named will not answer any more.
func (a *Adapter) Gone(uid string) {
	for _, p := range a.requests.all() {
		p.gone(uid)
	}
	a.polls.stop(func(s *serving) bool { return s.key.uid == uid })
	a.peers.forget(uid)
}

// answered has whoever waits for it take the answer.
func (a *Adapter) answered(m *Message) error {
	if m.Clients < 0 {
		return malformed("clientCount")
	}
	for room, n := range m.Sizes {
		if n < 0 {
			return malformed("size of room " + room)
		}
	}
	p := a.requests.find(m.RequestID)
	if p == nil || !p.receive(m) {
		a.stats.strange.Add(1)
	}
	return nil
}

// checkEvent reports whether p is an event, unless that was looked at already.
func (p *Packet) checkEvent() error {
	if p.checked {
		return nil
	}
	if err := parser.CheckEvent(p.JSON, len(p.Attachments), Limits()); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// broadcast is m for the MemoryAdapter.
func (m *Message) broadcast() *socketio.Broadcast {
	return &socketio.Broadcast{
		Array: m.Packet.JSON, Attachments: m.Packet.Attachments, Rooms: m.Opts.Rooms, Except: m.Opts.Except,
		Flags: m.Opts.Flags, Timeout: m.Opts.Timeout,
	}
}

// maxEarlyRequests is how many of the others' requests are kept while a namespace is made.
const maxEarlyRequests = 1024

// early are requests that came before New was done with a namespace that had no sockets
// yet: whoever asked has counted this server.
type early struct {
	mu   sync.Mutex
	list []Message // answers; guarded by mu
	uids []string  // who wants them; guarded by mu
}

// keep reports whether m came that early. What is no request has nobody here to reach.
func (e *early) keep(a *Adapter, m *Message) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a.opened.Load() {
		return false
	}
	kinds := map[Type]Type{
		Broadcast: BroadcastClientCount, FetchSockets: FetchSocketsResponse,
		CountSockets: CountSocketsResponse, RoomSizes: RoomSizesResponse,
	}
	if kind, ok := kinds[m.Type]; ok && m.RequestID != "" && m.UID != "" && len(e.list) < maxEarlyRequests {
		e.list = append(e.list, Message{Type: kind, RequestID: m.RequestID})
		e.uids = append(e.uids, m.UID)
	}
	return true
}

// answerEarly opens the Adapter.
func (a *Adapter) answerEarly() {
	a.early.mu.Lock()
	defer a.early.mu.Unlock()
	a.opened.Store(true)
	for i := range a.early.list {
		a.answer(a.early.uids[i], &a.early.list[i])
	}
	a.early.list, a.early.uids = nil, nil
}
