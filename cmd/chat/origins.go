package main

import (
	"slices"
	"sync/atomic"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// origins are those whose pages may connect. They may be replaced while the server runs:
// who is connected by WebSocket stays so. Safe for concurrent use.
type origins struct{ list atomic.Pointer[[]string] }

func newOrigins(list []string) *origins {
	o := new(origins)
	o.set(list)
	return o
}

func (o *origins) set(list []string) {
	list = slices.Clone(list)
	o.list.Store(&list)
}

// allow is called on event loops.
func (o *origins) allow(origin string) bool {
	list := *o.list.Load()
	return slices.Contains(list, origin) || slices.Contains(list, "*")
}

// cors is what the server is to know of them. With cookies, browsers want to hear that
// these are meant.
func (o *origins) cors(cookies bool) socketio.CORS {
	return socketio.CORS{Origin: o.allow, Credentials: cookies}
}
