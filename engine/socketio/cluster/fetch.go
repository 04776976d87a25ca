package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// FetchSockets implements socketio.Adapter.
func (a *Adapter) FetchSockets(ctx context.Context, sel *socketio.Selection) ([]*socketio.RemoteSocket, error) {
	if sel.Local {
		return a.MemoryAdapter.FetchSockets(ctx, sel)
	}
	var here, there []*socketio.RemoteSocket
	var failed error
	err := a.gather(ctx, &Message{Type: FetchSockets, Opts: optsOf(sel)}, func(m *Message) error {
		for _, s := range m.Sockets {
			there = append(there, socketio.NewRemoteSocket(a.Namespace(), s))
		}
		return nil
	}, func(ctx context.Context) { here, failed = a.MemoryAdapter.FetchSockets(ctx, sel) })
	return append(here, there...), errors.Join(failed, err)
}

// CountSockets implements socketio.Adapter. Where there may be Node's servers they are
// asked for their sockets, as they know no other way.
func (a *Adapter) CountSockets(ctx context.Context, sel *socketio.Selection) (int, error) {
	if sel.Local {
		return a.MemoryAdapter.CountSockets(ctx, sel)
	}
	var here, there int
	var failed error
	kind := FetchSockets
	if a.own {
		kind = CountSockets
	}
	err := a.gather(ctx, &Message{Type: kind, Opts: optsOf(sel)}, func(m *Message) error {
		there += m.Clients + len(m.Sockets)
		return nil
	}, func(ctx context.Context) { here, failed = a.MemoryAdapter.CountSockets(ctx, sel) })
	return here + there, errors.Join(failed, err)
}

// RoomSizes implements socketio.Adapter, as CountSockets does.
func (a *Adapter) RoomSizes(ctx context.Context, local bool) (map[string]int, error) {
	if local {
		return a.MemoryAdapter.RoomSizes(ctx, true)
	}
	var sizes map[string]int
	var failed error
	there := make(map[string]int)
	kind := FetchSockets
	if a.own {
		kind = RoomSizes
	}
	err := a.gather(ctx, &Message{Type: kind}, func(m *Message) error {
		addSizes(there, m)
		return nil
	}, func(ctx context.Context) { sizes, failed = a.MemoryAdapter.RoomSizes(ctx, true) })
	if sizes == nil {
		sizes = there
	} else {
		for room, n := range there {
			sizes[room] += n
		}
	}
	return sizes, errors.Join(failed, err)
}

// addSizes adds what another server says: sizes, or sockets with their rooms.
func addSizes(sizes map[string]int, m *Message) {
	for room, n := range m.Sizes {
		sizes[room] += n
	}
	for _, s := range m.Sockets {
		for _, room := range s.Rooms {
			if room != s.ID {
				sizes[room]++
			}
		}
	}
}

// ServerSideEmit implements socketio.Adapter.
func (a *Adapter) ServerSideEmit(e *socketio.ServerSideEvent) error {
	return a.publish(&Message{Type: ServerSideEmit, Packet: Packet{JSON: e.Array, Attachments: e.Attachments}})
}

// ServerSideEmitWithAck implements socketio.Adapter.
func (a *Adapter) ServerSideEmitWithAck(ctx context.Context, e *socketio.ServerSideEvent) ([]socketio.ServerSideAnswer, error) {
	var answers []socketio.ServerSideAnswer
	m := &Message{Type: ServerSideEmit, Packet: Packet{JSON: e.Array, Attachments: e.Attachments}}
	err := a.gather(ctx, m, func(m *Message) error {
		if m.Failed != "" {
			return fmt.Errorf("cluster: server %q: %w", m.UID, failure(m.Failed))
		}
		args, err := a.ParseArgs(m.Packet.JSON, m.Packet.Attachments)
		if err != nil {
			return err
		}
		answers = append(answers, socketio.ServerSideAnswer{Server: m.UID, Args: args})
		return nil
	}, func(context.Context) {})
	return answers, err
}

// failureText is what another server is told of an error, which is no longer than it takes.
func failureText(err error) string {
	text := strings.ToValidUTF8(err.Error(), "\ufffd")
	if len(text) > maxName {
		text = strings.ToValidUTF8(text[:maxName-3], "") + "..."
	}
	return text
}

// failure turns what another server has said back into an error.
func failure(text string) error {
	for _, err := range []error{socketio.ErrDisconnected, socketio.ErrNoServerSideHandler} {
		if text == err.Error() {
			return err
		}
	}
	return errors.New(text)
}
