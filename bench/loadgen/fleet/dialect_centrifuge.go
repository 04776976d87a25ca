package fleet

import (
	"bytes"
	"fmt"
	"strconv"
)

// centrifuge is the JSON protocol of the Go library centrifuge: one channel, "chat",
// to which a client publishes; the rpc "echo" comes back. A message may hold several
// pieces, a line each.
type centrifuge struct{}

// firstID keeps the ids of publications and calls apart from those of joining.
const firstID = 10

// The steps of joining: the answer to connect, then that to subscribe.
const (
	awaitConnected = 1 + iota
	awaitSubscribed
)

func (centrifuge) path() string { return "/connection/websocket" }

func (centrifuge) pong() string { return "{}" }

func (centrifuge) greet(step uint8, m []byte) (string, uint8, error) {
	switch {
	case step == 0:
		return `{"id":1,"connect":{}}`, awaitConnected, nil
	case string(m) == "{}":
		return "{}", step, nil
	case step == awaitConnected && bytes.HasPrefix(m, []byte(`{"id":1,"connect":`)):
		return `{"id":2,"subscribe":{"channel":"chat"}}`, awaitSubscribed, nil
	case step == awaitSubscribed && bytes.HasPrefix(m, []byte(`{"id":2,"subscribe":`)):
		return "", joined, nil
	}
	return "", step, fmt.Errorf("answered %.80q to connect and subscribe", m)
}

func (centrifuge) read(m []byte) (k kind, text, rest []byte) {
	m, rest, _ = bytes.Cut(m, []byte("\n"))
	switch {
	case string(m) == "{}":
		return heartbeat, nil, rest
	case bytes.Contains(m[:min(len(m), 30)], []byte(`"disconnect":`)):
		return farewell, nil, rest
	case bytes.HasPrefix(m, []byte(`{"push":`)):
		return broadcast, cutData(m), rest
	case bytes.Contains(m[:min(len(m), 30)], []byte(`"rpc":`)):
		return echo, cutData(m), rest
	}
	return other, nil, rest
}

// cutData cuts out the string that is the first member "data".
func cutData(m []byte) []byte {
	_, m, _ = bytes.Cut(m, []byte(`"data":"`))
	text, _, _ := bytes.Cut(m, []byte(`"`))
	return text
}

func (centrifuge) appendBroadcast(dst []byte, id uint32, text []byte) []byte {
	dst = strconv.AppendUint(append(dst, `{"id":`...), uint64(id)+firstID, 10)
	dst = append(dst, `,"publish":{"channel":"chat","data":"`...)
	return append(append(dst, text...), `"}}`...)
}

func (centrifuge) appendEcho(dst []byte, id uint32, text []byte) []byte {
	dst = strconv.AppendUint(append(dst, `{"id":`...), uint64(id)+firstID, 10)
	dst = append(dst, `,"rpc":{"method":"echo","data":"`...)
	return append(append(dst, text...), `"}}`...)
}
