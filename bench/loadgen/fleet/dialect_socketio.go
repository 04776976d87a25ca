package fleet

import (
	"bytes"
	"fmt"
	"strconv"
)

// socketIO is Engine.IO v4 over WebSocket with one socket in the namespace "/": a
// chatMessage comes back to everybody as a reply, an echo is acknowledged with its
// argument.
type socketIO struct{}

// The steps of joining: the open packet, then the answer to CONNECT.
const (
	awaitOpen = 1 + iota
	awaitConnect
)

var replyHead, textTail = []byte(`42["reply","`), []byte(`"]`)

func (socketIO) path() string { return "/socket.io/?EIO=4&transport=websocket" }

func (socketIO) pong() string { return "3" }

func (socketIO) greet(step uint8, m []byte) (string, uint8, error) {
	switch {
	case step == 0:
		return "", awaitOpen, nil
	case string(m) == "2":
		return "3", step, nil
	case step == awaitOpen && bytes.HasPrefix(m, []byte("0{")):
		return "40", awaitConnect, nil
	case step == awaitConnect && bytes.HasPrefix(m, []byte("40")):
		return "", joined, nil
	}
	return "", step, fmt.Errorf("answered %.80q to the Socket.IO handshake", m)
}

func (socketIO) read(m []byte) (k kind, text, rest []byte) {
	if text, ok := cutReply(m); ok {
		return broadcast, text, nil
	}
	if text, ok := cutAck(m); ok {
		return echo, text, nil
	}
	switch {
	case string(m) == "2":
		return heartbeat, nil, nil
	case string(m) == "1" || bytes.HasPrefix(m, []byte("41")):
		return farewell, nil, nil
	}
	return other, nil, nil
}

// cutReply cuts the text out of 42["reply","<text>"], or of a chat's reply, which says behind the text who wrote it.
func cutReply(m []byte) (text []byte, ok bool) {
	if !bytes.HasPrefix(m, replyHead) {
		return nil, false
	}
	m = m[len(replyHead):]
	end := bytes.IndexByte(m, '"') // texts of this program have none
	if end < 0 || len(m) < end+2 || m[len(m)-1] != ']' || m[end+1] != ',' && len(m) > end+2 {
		return nil, false
	}
	return m[:end], true
}

// cutAck cuts the text out of 43<id>["<text>"].
func cutAck(m []byte) (text []byte, ok bool) {
	if !bytes.HasPrefix(m, []byte("43")) {
		return nil, false
	}
	m = bytes.TrimLeft(m[2:], "0123456789")
	if !bytes.HasPrefix(m, []byte(`["`)) {
		return nil, false
	}
	return bytes.CutSuffix(m[2:], textTail)
}

func (socketIO) appendBroadcast(dst []byte, _ uint32, text []byte) []byte {
	dst = append(dst, `42["chatMessage","`...)
	return append(append(dst, text...), textTail...)
}

func (socketIO) appendEcho(dst []byte, id uint32, text []byte) []byte {
	dst = strconv.AppendUint(append(dst, "42"...), uint64(id), 10)
	dst = append(dst, `["echo","`...)
	return append(append(dst, text...), textTail...)
}
