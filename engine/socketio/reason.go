package socketio

import "github.com/fanfare-go/fanfare/engine"

// Reason says why a socket was disconnected, in the words of Node's server.
type Reason string

// The reasons that handlers of OnDisconnecting and OnDisconnect are given.
const (
	// ReasonServerNamespaceDisconnect: Socket.Disconnect was called.
	ReasonServerNamespaceDisconnect Reason = "server namespace disconnect"
	// ReasonClientNamespaceDisconnect: the client left the namespace.
	ReasonClientNamespaceDisconnect Reason = "client namespace disconnect"
	// ReasonExpired: the time of Socket.ExpireAt is over. Node has no such reason.
	ReasonExpired Reason = "expired"
	// ReasonServerShuttingDown: Server.Shutdown or Server.Drain was called.
	ReasonServerShuttingDown Reason = "server shutting down"
	// ReasonPingTimeout: the client did not answer a heartbeat in time.
	ReasonPingTimeout Reason = "ping timeout"
	// ReasonTransportClose: the client or the network closed the connection.
	ReasonTransportClose Reason = "transport close"
	// ReasonTransportError: the connection failed, or broke its transport's rules.
	ReasonTransportError Reason = "transport error"
	// ReasonParseError: the client sent what is no Engine.IO packet.
	ReasonParseError Reason = "parse error"
	// ReasonForcedClose: the server closed the connection, which it does at every
	// violation of the Socket.IO protocol.
	ReasonForcedClose Reason = "forced close"
	// ReasonForcedServerClose: the client joined no namespace in time.
	ReasonForcedServerClose Reason = "forced server close"
)

// reasonOf translates the reason of a session; the words are the same.
func reasonOf(r engine.Reason) Reason { return Reason(r.String()) }
