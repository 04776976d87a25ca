package api

import "github.com/fanfare-go/fanfare/engine/socketio"

// joinRequest puts sockets into rooms.
type joinRequest struct {
	Namespace string   `json:"namespace"`
	Rooms     []string `json:"rooms"`
	Except    []string `json:"except"`
	Join      []string `json:"join"`
}

// leaveRequest takes sockets out of rooms.
type leaveRequest struct {
	Namespace string   `json:"namespace"`
	Rooms     []string `json:"rooms"`
	Except    []string `json:"except"`
	Leave     []string `json:"leave"`
}

// disconnectRequest ends sockets.
type disconnectRequest struct {
	Namespace string   `json:"namespace"`
	Rooms     []string `json:"rooms"`
	Except    []string `json:"except"`
	Everybody bool     `json:"everybody"`
	Close     bool     `json:"close"`
}

// changeAnswer says how many sockets were selected when the request began.
type changeAnswer struct {
	Sockets int `json:"sockets"`
}

func join(c *call, q *joinRequest) (changeAnswer, error) {
	return c.change("join", q.Join, q.Namespace, q.Rooms, q.Except, socketio.BroadcastOperator.SocketsJoin)
}

func leave(c *call, q *leaveRequest) (changeAnswer, error) {
	return c.change("leave", q.Leave, q.Namespace, q.Rooms, q.Except, socketio.BroadcastOperator.SocketsLeave)
}

// change does something about rooms with the sockets that a request means. The field is
// called after it.
func (c *call) change(field string, names []string, namespace string, rooms, except []string, do func(socketio.BroadcastOperator, ...string) error) (a changeAnswer, err error) {
	if len(names) == 0 {
		return a, Invalid("%s: name the rooms to %s", field, field)
	}
	if err := c.names(field, names); err != nil {
		return a, err
	}
	b, err := c.chosen(namespace, rooms, except)
	if err != nil {
		return a, err
	}
	if a.Sockets, err = b.Count(c.ctx); err != nil {
		return a, err
	}
	return a, do(b, names...)
}

// disconnect wants everybody to be meant on purpose.
func disconnect(c *call, q *disconnectRequest) (a changeAnswer, err error) {
	if q.Everybody == (len(q.Rooms) > 0) {
		return a, Invalid("rooms: name the rooms or sockets to disconnect, or set everybody to true, not both")
	}
	b, err := c.chosen(q.Namespace, q.Rooms, q.Except)
	if err != nil {
		return a, err
	}
	if a.Sockets, err = b.Count(c.ctx); err != nil {
		return a, err
	}
	return a, b.DisconnectSockets(q.Close)
}
