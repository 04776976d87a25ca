package redisadapter

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/fanfare-go/fanfare/engine/socketio"
	"github.com/fanfare-go/fanfare/engine/socketio/cluster"
)

// bytesOf returns the bytes of a message that came, which nobody writes to.
func bytesOf(message string) []byte {
	return unsafe.Slice(unsafe.StringData(message), len(message))
}

// fits counts a message that has come, and reports whether it is looked at.
func (f *Fleet) fits(message string) bool {
	f.counters.received.Add(1)
	switch {
	case message == "":
		f.counters.malformed.Add(1)
		return false
	case len(message) > f.options.MaxMessage:
		f.counters.malformed.Add(1)
		f.counters.tooLarge.Add(1)
		return false
	}
	return true
}

// refuse counts what cannot be read.
func (f *Fleet) refuse(err error) bool {
	if err != nil {
		f.counters.malformed.Add(1)
	}
	return err != nil
}

// broadcast takes what comes on the channels of broadcasts. What is for a room that
// nobody here is in is dropped unread. Who it is for is not up to the channel, though.
func (l *classicLink) broadcast(channel, message string) {
	if strings.HasPrefix(message, l.echo[0]) {
		l.fleet.counters.own.Add(1)
		return
	}
	if !l.fleet.fits(message) {
		return
	}
	if room := l.roomOf(channel); room != "" && !l.adapter.Occupied(room) {
		l.fleet.counters.elsewhere.Add(1)
		if uid := senderOf(message); uid != "" {
			l.adapter.Skip(&cluster.Message{Type: cluster.Broadcast, UID: uid})
		}
		return
	}
	m, nsp, err := readClassicBroadcast(bytesOf(message), &l.limits)
	switch {
	case l.fleet.refuse(err):
	case nsp != l.nsp: // such as /#x, whose channels look like those of rooms of /
		l.fleet.counters.elsewhere.Add(1)
	case m.UID == l.adapter.UID():
		l.fleet.counters.own.Add(1)
	default:
		l.adapter.Receive(m)
	}
}

// roomOf returns the room that is in the name of a channel.
func (l *classicLink) roomOf(channel string) string {
	return strings.TrimSuffix(strings.TrimPrefix(channel, l.channel), "#")
}

// senderOf returns the UID in a broadcast that is not read otherwise; empty where that is
// not to be seen at once.
func senderOf(message string) string {
	if len(message) < 2 || message[0] != 0x93 || message[1]&0xe0 != 0xa0 {
		return ""
	}
	n := int(message[1] & 0x1f)
	if len(message) < 2+n {
		return ""
	}
	return message[2 : 2+n]
}

// request takes what comes on the channel of requests.
func (l *classicLink) request(_, message string) {
	if strings.HasPrefix(message, l.echo[1]) {
		l.fleet.counters.own.Add(1)
		return
	}
	if !l.fleet.fits(message) {
		return
	}
	r, err := readClassicRequest(bytesOf(message), &l.limits)
	switch {
	case l.fleet.refuse(err):
	case r.uid == l.adapter.UID():
		l.fleet.counters.own.Add(1)
	case r.kind == classicBroadcast && r.nsp != l.nsp:
		l.fleet.counters.elsewhere.Add(1)
	case r.m != nil:
		l.adapter.Receive(r.m)
	case r.sid != "":
		l.moveOne(&r)
	case r.kind == classicSockets || r.kind == classicAllRooms:
		l.list(r)
	}
}

// response takes what comes on the channels of answers: on the one for everybody, mostly
// what others have asked.
func (l *classicLink) response(_, message string) {
	if !l.fleet.fits(message) {
		return
	}
	m, err := readClassicAnswer(bytesOf(message), &l.limits, l.adapter.Waits)
	switch {
	case l.fleet.refuse(err):
	case m == nil:
		l.fleet.counters.elsewhere.Add(1)
	default:
		l.adapter.Receive(m)
	}
}

// moveOne does what servers of before 2021 (socket.io-redis 6) ask for one socket. Who
// has it says when it is done.
func (l *classicLink) moveOne(r *classicRequest) {
	s, ok := l.adapter.Namespace().Socket(r.sid)
	if !ok {
		return
	}
	switch r.kind {
	case classicJoin:
		_ = s.Join(r.room) // or it is gone, or may be in no more rooms: there is no way to say so
	case classicLeave:
		s.Leave(r.room)
	case classicDisconnect:
		s.Disconnect(r.close)
	}
	if r.id != "" {
		w := classicWriter{[]byte{'{'}}
		w.text("requestId", r.id)
		_ = l.fleet.publisher.push(l.responsesTo(r.uid), append(w.b, '}'), false)
	}
}

// oldPatience is how long old servers wait for answers. Node: requestsTimeout.
const oldPatience = 5 * time.Second

// list answers what old servers ask about sockets and rooms, from a goroutine, since that
// takes as long as visiting all sockets does.
func (l *classicLink) list(r classicRequest) {
	select {
	case l.oldWork <- struct{}{}:
	default:
		l.fleet.counters.malformed.Add(1)
		return
	}
	go func() {
		defer func() { <-l.oldWork }()
		ctx, cancel := context.WithTimeout(context.Background(), oldPatience)
		defer cancel()
		sockets, err := l.adapter.MemoryAdapter.FetchSockets(ctx, &socketio.Selection{Rooms: r.rooms, Local: true})
		if err != nil && !errors.Is(err, socketio.ErrDisconnected) {
			return
		}
		w := classicWriter{[]byte{'{'}}
		w.text("requestId", r.id)
		if r.kind == classicSockets {
			w.key("sockets")
			w.b = cluster.AppendStrings(w.b, idsOf(sockets))
		} else {
			w.key("rooms")
			w.b = cluster.AppendStrings(w.b, roomsOf(sockets))
		}
		_ = l.fleet.publisher.push(l.responsesTo(r.uid), append(w.b, '}'), false)
	}()
}

func idsOf(sockets []*socketio.RemoteSocket) (ids []string) {
	for _, s := range sockets {
		ids = append(ids, s.ID())
	}
	return ids
}

// roomsOf returns the rooms that the sockets are in, each once.
func roomsOf(sockets []*socketio.RemoteSocket) (rooms []string) {
	for _, s := range sockets {
		rooms = append(rooms, s.Rooms()...)
	}
	slices.Sort(rooms)
	return slices.Compact(rooms)
}
