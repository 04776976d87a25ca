package swarm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
)

// requests are what one round trip sends.
func (k *client) requests(payload string) [][]byte {
	if k.kind == Polling {
		return [][]byte{k.post(payload), k.get()}
	}
	return [][]byte{frame(payload)}
}

func (k *client) get() []byte {
	return []byte("GET " + pollingTarget + "&sid=" + k.sid + " HTTP/1.1\r\nHost: " + k.host + "\r\n\r\n")
}

func (k *client) post(body string) []byte {
	return fmt.Appendf(nil, "POST %s&sid=%s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s", pollingTarget, k.sid, k.host, len(body), body)
}

// frame is a masked text frame whose key is 0, so that a peer that sends it back
// sends the same text. Up to 64 KiB.
func frame(text string) []byte {
	b := []byte{0x81}
	if n := len(text); n < 126 {
		b = append(b, 0x80|byte(n))
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	}
	return append(append(b, 0, 0, 0, 0), text...)
}

// answer is the length of the answer at the beginning of b, 0 while it is not all
// there.
func (k *client) answer(b []byte) (n int, err error) {
	if k.kind == HeldPoll || k.kind == Polling {
		n, err = responseLength(b)
	} else {
		n = frameLength(b)
	}
	if n > len(b) {
		n = 0
	}
	return n, err
}

// frameLength is that of the frame that begins b, 0 while that cannot be told.
func frameLength(b []byte) int {
	if len(b) < 4 {
		return 0
	}
	n := 2 + int(b[1]&0x7f)
	if b[1]&0x7f == 126 {
		n = 4 + int(binary.BigEndian.Uint16(b[2:]))
	}
	if b[1]&0x80 != 0 {
		n += 4
	}
	return n
}

// responseLength is that of the response that begins b, 0 while that cannot be told.
func responseLength(b []byte) (int, error) {
	head := bytes.Index(b, []byte("\r\n\r\n"))
	if head < 0 {
		return 0, nil
	}
	if !bytes.HasPrefix(b, []byte("HTTP/1.1 200 ")) {
		return 0, fmt.Errorf("the server answers %q", b)
	}
	_, rest, _ := bytes.Cut(b[:head+2], []byte("\r\nContent-Length: "))
	digits, _, _ := bytes.Cut(rest, []byte("\r\n"))
	n, err := strconv.Atoi(string(digits))
	return head + 4 + n, err
}
