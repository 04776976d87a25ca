package engine

// Reason says why a session ended, in the words of Node's server.
type Reason uint8

// The reasons a session can end with; String gives Node's exact text.
const (
	// ReasonTransportClose: the peer closed the connection or said goodbye.
	ReasonTransportClose Reason = iota + 1
	// ReasonTransportError: the transport's rules were broken, or the connection failed.
	ReasonTransportError
	// ReasonPingTimeout: no pong came within PingTimeout.
	ReasonPingTimeout
	// ReasonParseError: a packet was not Engine.IO.
	ReasonParseError
	// ReasonForcedClose: the server closed it; every Socket.IO protocol violation ends so.
	ReasonForcedClose
	// ReasonForcedServerClose: the server closed it because it joined no namespace in time.
	ReasonForcedServerClose
	// ReasonServerShutdown: the whole server is going away.
	ReasonServerShutdown

	reasonCount = int(ReasonServerShutdown) + 1
)

var reasonText = [reasonCount]string{
	"",
	"transport close",
	"transport error",
	"ping timeout",
	"parse error",
	"forced close",
	"forced server close",
	"server shutting down",
}

// String returns Node's text for the reason.
func (r Reason) String() string {
	if int(r) < len(reasonText) {
		return reasonText[r]
	}
	return "unknown"
}

// farewell reports that the server took its leave in good order, so that a client
// between two polls is still to be told. Node forgets the others at once.
func (r Reason) farewell() bool {
	return r == ReasonForcedClose || r == ReasonForcedServerClose || r == ReasonServerShutdown
}

// Transport names how a session's bytes travel.
type Transport uint8

// The transports of Engine.IO that the loop serves.
const (
	Polling      Transport = iota + 1 // HTTP long-polling
	WebSocket                         // RFC 6455
	WebTransport                      // over HTTP/3; only where somebody brings its streams (Server.Dial)
)

// String returns the name as it stands in the transport query parameter.
func (t Transport) String() string {
	switch t {
	case Polling:
		return "polling"
	case WebSocket:
		return "websocket"
	case WebTransport:
		return "webtransport"
	}
	return ""
}
