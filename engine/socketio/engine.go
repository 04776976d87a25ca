package socketio

import (
	"net/http"

	"github.com/fanfare-go/fanfare/engine"
)

// Cookie is the cookie that a client which polls is given: its Engine.IO session's id.
type Cookie = engine.Cookie

// ConnectionError is a request that was refused. Node: the argument of
// io.engine.on("connection_error").
type ConnectionError = engine.ConnectionError

// RequestError is what an AllowRequest returns to tell the client why it is refused.
type RequestError = engine.RequestError

// Engine is what lies below Socket.IO: HTTP requests and sessions. Its methods are safe
// for concurrent use, and best called before Listen. Node: io.engine.
type Engine struct{ server *engine.Server }

// Engine returns what lies below the server. Node: io.engine.
func (v *Server) Engine() Engine { return Engine{v.engine} }

// ClientsCount is how many clients are connected, in whatever namespaces or none yet.
// Node: io.engine.clientsCount.
func (e Engine) ClientsCount() int64 {
	st := e.server.Stats()
	return st.Polling + st.WebSocket
}

// Use registers a middleware of net/http's usual kind for every request of Socket.IO:
// handshakes, polls, posts and upgrades, but not client files. See engine.Server.Use for
// what it may do; it may block. What it puts into the context of the request that opens a
// connection is in Handshake.Value. Node: io.engine.use.
func (e Engine) Use(middleware func(next http.Handler) http.Handler) { e.server.Use(middleware) }

// OnInitialHeaders registers fn for the answer to the first request of each connection;
// it may change the further header lines that go with it. Called on an event loop: it
// must not block. Node: io.engine.on("initial_headers").
func (e Engine) OnInitialHeaders(fn func(http.Header, *http.Request)) { e.server.OnInitialHeaders(fn) }

// OnHeaders registers fn for the answer to every request that is accepted. Called on an
// event loop: it must not block. Node: io.engine.on("headers").
func (e Engine) OnHeaders(fn func(http.Header, *http.Request)) { e.server.OnHeaders(fn) }

// OnConnectionError registers fn for requests that are refused. Called on an event loop:
// it must not block. Node: io.engine.on("connection_error").
func (e Engine) OnConnectionError(fn func(ConnectionError)) { e.server.OnConnectionError(fn) }
