package cluster

import (
	"time"

	"github.com/fanfare-go/fanfare/engine/socketio"
)

// Type is the kind of a Message. Up to AdapterClose the numbers are those of Node's
// ClusterAdapter; what follows is said among servers of this package only, and Node's
// ignore it.
type Type uint8

// The kinds of messages.
const (
	InitialHeartbeat       Type = 1 + iota // a server that is new; the others answer with Heartbeat
	Heartbeat                              // a server is there
	Broadcast                              // Packet to those Opts select; with a RequestID answered by BroadcastClientCount and BroadcastAck
	SocketsJoin                            // those Opts select join Rooms
	SocketsLeave                           // those Opts select leave Rooms
	DisconnectSockets                      // those Opts select are disconnected, and hung up on if Close
	FetchSockets                           // answered by FetchSocketsResponse
	FetchSocketsResponse                   // Sockets
	ServerSideEmit                         // Packet; with a RequestID answered by ServerSideEmitResponse
	ServerSideEmitResponse                 // Packet: one value
	BroadcastClientCount                   // Clients: how many sockets were sent the Broadcast
	BroadcastAck                           // Packet: what one socket answered to the Broadcast
	AdapterClose                           // a server goes
)

// Kinds beyond Node's.
const (
	Tally                Type = 64 + iota // Sent: how many messages its sender has published by now; with a RequestID answered by the others' Tally
	CountSockets                          // answered by CountSocketsResponse
	CountSocketsResponse                  // Clients
	RoomSizes                             // answered by RoomSizesResponse
	RoomSizesResponse                     // Sizes
)

// Message is what one server says to others. Which fields matter is up to the Type.
type Message struct {
	Type Type
	UID  string // of the Adapter that sends it; "emitter" for those that only send
	// RequestID is shared by a request and its answers; empty where none are wanted.
	RequestID string
	Packet    Packet
	Opts      Opts
	Rooms     []string
	Close     bool
	Sockets   []socketio.SocketState
	Clients   int
	Sizes     map[string]int // of rooms
	// Sent has an entry for each lane that its sender has published on; see Tally.
	Sent map[string]uint64

	// SocketID says whose answer a BroadcastAck is, among servers of this package.
	SocketID string
	// Failed says why a ServerSideEmitResponse or BroadcastAck has no value, among
	// servers of this package.
	Failed string
	// Offset is where the message stands in the Link's log; empty where it has none.
	Offset string
	// Sequence counts what its sender has appended to the log, from 1; see LogLink. An
	// entry that comes back has the one that it was appended with. Of other senders' it
	// is 0 where the log's format has no room for it. Of a SurrenderSession without a
	// RequestID it is Session.Stored.
	Sequence uint64
	// PID is whose SurrenderSession it is: a secret.
	PID string
}

// Packet is an event, or the value of an answer, in the form of package socketio: JSON
// with a placeholder for each of the attachments. JSON is valid as long as its Message;
// the bytes of attachments are never changed after they were received.
type Packet struct {
	// JSON is the array of an event's name and arguments, or the array of the values
	// of an answer, of which Node sends the first one only.
	JSON        []byte
	Attachments [][]byte

	checked bool // found to be an event
}

// Opts select sockets, and say how they are sent something. Node: BroadcastOptions.
type Opts struct {
	Rooms, Except []string // never changed
	Flags         socketio.Flags
	Timeout       time.Duration // of a Broadcast with acknowledgements
	// Single says that one answer is enough. Node: expectSingleResponse.
	Single bool
}
