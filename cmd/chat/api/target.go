package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// errNamespace is the Problem of a namespace that is not there; asking makes none.
func errNamespace(name string) *Problem {
	return &Problem{http.StatusNotFound, "unknown_namespace", "namespace: there is no " + strconv.Quote(name)}
}

// namespace returns the namespace of this name; "" is the default one.
func (c *call) namespace(name string) (*socketio.Namespace, error) {
	if name != "" && !strings.HasPrefix(name, "/") {
		return nil, Invalid("namespace: %s does not begin with a slash", strconv.Quote(name))
	}
	n, ok := c.server.options.Server.Namespace(name)
	if !ok {
		return nil, errNamespace(name)
	}
	return n, nil
}

// chosen returns what sends to the sockets that a request selects. No rooms at all means
// everybody; an empty list of rooms means that somebody's list is empty, and is refused.
func (c *call) chosen(namespace string, rooms, except []string) (b socketio.BroadcastOperator, err error) {
	n, err := c.namespace(namespace)
	if err != nil {
		return b, err
	}
	if rooms != nil && len(rooms) == 0 {
		return b, Invalid("rooms is empty: name a room, or leave rooms out to mean everybody")
	}
	if err := c.names("rooms", rooms); err != nil {
		return b, err
	}
	if err := c.names("except", except); err != nil {
		return b, err
	}
	return n.To(rooms...).Except(except...), nil
}

// names checks names of rooms.
func (c *call) names(field string, names []string) error {
	if most := c.server.options.MaxNames; len(names) > most {
		return Invalid("%s: %d names, the most are %d", field, len(names), most)
	}
	for _, name := range names {
		if name == "" || len(name) > socketio.MaxRoomName {
			return Invalid("%s: a room's name has 1 to %d bytes", field, socketio.MaxRoomName)
		}
	}
	return nil
}

// page returns the size of a page; 0 asks for the default.
func (c *call) page(limit, standard int) (int, error) {
	most := c.server.options.MaxPage
	if limit == 0 {
		return min(standard, most), nil
	}
	if limit < 1 || limit > most {
		return 0, Invalid("limit: want 1 to %d", most)
	}
	return limit, nil
}
