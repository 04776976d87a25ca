package cluster

import "github.com/fanfare-go/fanfare/engine/socketio"

// What follows reads parts of messages, for Links whose messages are put together in
// another way than ParseJSON has it. What is read must have been found to be JSON, as by
// parser.Check; the errors wrap [ErrMalformed]. All are safe for concurrent use.

// ParseEvent reads {type, data}, an event, with those of the attachments that belong to it.
func (p *Packet) ParseEvent(packet []byte, attachments [][]byte) error {
	return p.parseEvent(packet, attachments)
}

// ParseArray reads the array of an event's name and arguments.
func (p *Packet) ParseArray(array []byte, attachments [][]byte) error {
	return p.parseArray(array, attachments)
}

// ParseValue reads the one value of an answer; empty where it was undefined.
func (p *Packet) ParseValue(value []byte, attachments [][]byte) error {
	return p.parseValue(value, attachments)
}

// Parse reads {rooms, except, flags}, of which any may be missing.
func (o *Opts) Parse(object []byte) error { return o.parse(object) }

// ParseRooms reads an array of rooms, where a number is the room of its text.
func ParseRooms(array []byte) ([]string, error) { return roomsOf(array) }

// ParseSockets reads an array of what ParseSocket reads.
func ParseSockets(array []byte, attachments [][]byte) ([]socketio.SocketState, error) {
	return socketsOf(array, attachments)
}

// ParseText reads a JSON string; false if it is something else.
func ParseText(value []byte) (text string, ok bool) { return textOf(value) }

// ParseName reads a JSON string that may be kept, as it is short; null is none.
func ParseName(value []byte) (string, error) { return nameOf("name", value) }

// ParseCount reads a number of sockets.
func ParseCount(value []byte) (int, error) { return countOf("count", value) }

// ParseSent reads the counts of a Tally.
func ParseSent(object []byte) (map[string]uint64, error) { return countsOf[uint64](object, maxLanes) }

// AppendSockets appends an array of what AppendSocket writes.
func AppendSockets(dst []byte, list []socketio.SocketState) []byte {
	for i := range list {
		dst = append(dst, "[,"[min(i, 1)])
		dst = AppendSocket(dst, &list[i])
	}
	if len(list) == 0 {
		dst = append(dst, '[')
	}
	return append(dst, ']')
}

// AppendStrings appends an array of strings.
func AppendStrings(dst []byte, list []string) []byte { return appendStrings(dst, list) }

// AppendSent appends the counts of a Tally.
func AppendSent(dst []byte, sent map[string]uint64) []byte { return appendCounts(dst, sent) }
