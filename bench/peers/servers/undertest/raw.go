package undertest

// What a message of the raw dialect asks for, as its first byte.
const (
	Broadcast = 'b'
	Echo      = 'e'
)

// Ask splits a message of the raw dialect into what it asks for and the text to
// send, which lies inside message. An empty message asks for nothing.
func Ask(message []byte) (kind byte, text []byte) {
	if len(message) == 0 {
		return 0, nil
	}
	return message[0], message[1:]
}
