package fleet

import "strconv"

// raw is plain WebSocket: what follows "b" goes to everybody, what follows "e" comes
// back. The texts are dressed as Socket.IO's reply and acknowledgement, so that every
// server sends the same bytes.
type raw struct{}

func (raw) path() string { return "/" }

func (raw) pong() string { return "" }

func (raw) greet(uint8, []byte) (string, uint8, error) { return "", joined, nil }

func (raw) read(m []byte) (k kind, text, rest []byte) {
	if text, ok := cutReply(m); ok {
		return broadcast, text, nil
	}
	if text, ok := cutAck(m); ok {
		return echo, text, nil
	}
	return other, nil, nil
}

func (raw) appendBroadcast(dst []byte, _ uint32, text []byte) []byte {
	dst = append(append(dst, 'b'), replyHead...)
	return append(append(dst, text...), textTail...)
}

func (raw) appendEcho(dst []byte, id uint32, text []byte) []byte {
	dst = strconv.AppendUint(append(dst, "e43"...), uint64(id), 10)
	dst = append(dst, `["`...)
	return append(append(dst, text...), textTail...)
}
