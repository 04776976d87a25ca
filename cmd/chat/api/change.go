package api

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

func join(c *call, q *joinRequest) (a changeAnswer, err error) {
	if len(q.Join) == 0 {
		return a, Invalid("join: name the rooms to join")
	}
	if err := c.names("join", q.Join); err != nil {
		return a, err
	}
	b, err := c.chosen(q.Namespace, q.Rooms, q.Except)
	if err != nil {
		return a, err
	}
	if a.Sockets, err = b.Count(c.ctx); err != nil {
		return a, err
	}
	return a, b.SocketsJoin(q.Join...)
}

func leave(c *call, q *leaveRequest) (a changeAnswer, err error) {
	if len(q.Leave) == 0 {
		return a, Invalid("leave: name the rooms to leave")
	}
	if err := c.names("leave", q.Leave); err != nil {
		return a, err
	}
	b, err := c.chosen(q.Namespace, q.Rooms, q.Except)
	if err != nil {
		return a, err
	}
	if a.Sockets, err = b.Count(c.ctx); err != nil {
		return a, err
	}
	return a, b.SocketsLeave(q.Leave...)
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
