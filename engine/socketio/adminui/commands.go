package adminui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Features that the page may use; it hides what is not there.
const (
	featureEmit        = "EMIT"
	featureJoin        = "JOIN"
	featureLeave       = "LEAVE"
	featureDisconnect  = "DISCONNECT"
	featureMJoin       = "MJOIN"
	featureMLeave      = "MLEAVE"
	featureMDisconnect = "MDISCONNECT"
	featureAggregated  = "AGGREGATED_EVENTS"
	featureAll         = "ALL_EVENTS"
)

// features are those of the options, in Node's order.
func (o *Options) features() []string {
	var all []string
	if !o.ReadOnly {
		all = []string{featureEmit, featureJoin, featureLeave, featureDisconnect, featureMJoin, featureMLeave, featureMDisconnect}
	}
	all = append(all, featureAggregated)
	if o.Mode == Development {
		all = append(all, featureAll)
	}
	return all
}

// maxNames bounds the rooms of one command.
const maxNames = 100

var errNames = errors.New("adminui: rooms are a string, or at most 100 of them")

// names are rooms as a command has them: one, several, or none.
type names []string

// UnmarshalJSON takes a string, a list of them, or null. An empty string is none, as in
// JavaScript's if.
func (n *names) UnmarshalJSON(b []byte) error {
	*n = nil
	var one string
	if json.Unmarshal(b, &one) == nil { // which takes null, too
		if one != "" {
			*n = names{one}
		}
		return nil
	}
	var several []string
	if err := json.Unmarshal(b, &several); err != nil || len(several) > maxNames {
		return errNames
	}
	*n = several
	return nil
}

// register has admins heard.
func (u *UI) register() {
	socketio.On(u.admins, "emit", u.onEmit)
	socketio.On(u.admins, "join", func(_ context.Context, s *socketio.Socket, a socketio.Args) error {
		return u.onRooms(s, "join", a, socketio.BroadcastOperator.SocketsJoin)
	})
	socketio.On(u.admins, "leave", func(_ context.Context, s *socketio.Socket, a socketio.Args) error {
		return u.onRooms(s, "leave", a, socketio.BroadcastOperator.SocketsLeave)
	})
	socketio.On(u.admins, "_disconnect", u.onDisconnectThem)
}

// onEmit is emit(nsp, filter, event, ...args).
func (u *UI) onEmit(_ context.Context, s *socketio.Socket, a socketio.Args) error {
	var (
		nsp, event string
		filter     names
		args       socketio.Args
	)
	if err := a.Decode(&nsp, &filter, &event, &args); err != nil {
		return err
	}
	to, err := u.choose(nsp, filter)
	if err != nil {
		return err
	}
	u.note(s, "emit", nsp, filter, "event", event)
	return to.Emit(event, args)
}

// onRooms is join(nsp, room, filter) and leave(nsp, room, filter).
func (u *UI) onRooms(s *socketio.Socket, what string, a socketio.Args, do func(socketio.BroadcastOperator, ...string) error) error {
	var (
		nsp           string
		rooms, filter names
	)
	if err := a.Decode(&nsp, &rooms, &filter); err != nil {
		return err
	}
	to, err := u.choose(nsp, filter)
	if err != nil || len(rooms) == 0 {
		return err
	}
	u.note(s, what, nsp, filter, "rooms", rooms)
	return do(to, rooms...)
}

// onDisconnectThem is _disconnect(nsp, close, filter).
func (u *UI) onDisconnectThem(_ context.Context, s *socketio.Socket, a socketio.Args) error {
	var (
		nsp    string
		hangUp bool
		filter names
	)
	if err := a.Decode(&nsp, &hangUp, &filter); err != nil {
		return err
	}
	to, err := u.choose(nsp, filter)
	if err != nil {
		return err
	}
	u.note(s, "disconnect", nsp, filter, "close", hangUp)
	return to.DisconnectSockets(hangUp)
}

// choose finds who a command is for. Node makes a namespace that is not there.
func (u *UI) choose(nsp string, filter names) (socketio.BroadcastOperator, error) {
	for _, n := range u.server.Namespaces() {
		if n.Name() == nsp {
			return n.In(filter...), nil
		}
	}
	return socketio.BroadcastOperator{}, fmt.Errorf("adminui: there is no namespace %.100q", nsp)
}

// note leaves a trace of what an admin changes; arguments are not in it.
func (u *UI) note(s *socketio.Socket, what, nsp string, filter names, name string, value any) {
	u.commands.Add(1)
	u.options.Logger.Info("adminui: "+what, "by", s.ID(), "address", s.Handshake().Address, "namespace", nsp, "filter", filter, name, value)
}
