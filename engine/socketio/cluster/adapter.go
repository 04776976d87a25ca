package cluster

import (
	"log/slog"
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Options configure an Adapter. The zero value of each field means its default.
type Options struct {
	// RequestTimeout is how long answers are waited for where nothing says otherwise;
	// default 5 s. Node: requestsTimeout.
	RequestTimeout time.Duration
	// MaxRequests is how many requests of this server may wait for their answers;
	// default 10,000. Beyond it they fail at once.
	MaxRequests int
	// HideHandshake keeps what a client sent when it connected from other servers, which
	// FetchSockets otherwise tells them, its auth and cookies included.
	HideHandshake bool
	// Logger gets what an operator should know; default slog.Default().
	Logger *slog.Logger
}

// Adapter connects one namespace with other servers, over a Link. It delivers here
// first, and has the Link tell the others.
type Adapter struct {
	*socketio.MemoryAdapter
	options Options
	uid     string // immutable
	link    Link   // immutable
}

// New returns the Adapter of a namespace. open makes its Link, which may call Receive
// from then on.
func New(local *socketio.MemoryAdapter, uid string, options Options, open func(*Adapter) (Link, error)) (*Adapter, error) {
	a := &Adapter{MemoryAdapter: local, uid: uid, options: options}
	link, err := open(a)
	if err != nil {
		return nil, err
	}
	a.link = link
	return a, nil
}

// UID is what this Adapter is called among those of its namespace.
func (a *Adapter) UID() string { return a.uid }

// Receive takes a message of another server, which is looked at before it is believed.
// Calls for messages of one sender must not overlap. It does not block, and keeps nothing
// of m.
func (a *Adapter) Receive(m *Message) {}

// Gone says that a server which Link.Others has named will not answer any more.
func (a *Adapter) Gone(uid string) {}
