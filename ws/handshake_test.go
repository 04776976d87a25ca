package ws_test

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/ws"
)

// goodHandshake has the key of the example in RFC 6455 section 1.3.
func goodHandshake() ws.Handshake {
	return ws.Handshake{
		Upgrade:    []byte("websocket"),
		Connection: []byte("keep-alive, Upgrade"),
		Version:    []byte("13"),
		Key:        []byte("dGhlIHNhbXBsZSBub25jZQ=="),
	}
}

func TestHandshakeCheck(t *testing.T) {
	const (
		upgrade    = "Invalid Upgrade header"
		connection = "Invalid Connection header"
		key        = "Missing or invalid Sec-WebSocket-Key header"
		version    = "Missing or invalid Sec-WebSocket-Version header"
		protocol   = "Invalid Sec-WebSocket-Protocol header"
	)
	tests := []struct {
		name   string
		change func(h *ws.Handshake)
		want   string
	}{
		{"good", func(h *ws.Handshake) {}, ""},
		{"upgrade in capitals", func(h *ws.Handshake) { h.Upgrade = []byte("WebSocket ") }, ""},
		{"no upgrade", func(h *ws.Handshake) { h.Upgrade = nil }, upgrade},
		{"other upgrade", func(h *ws.Handshake) { h.Upgrade = []byte("h2c") }, upgrade},
		{"connection in small letters", func(h *ws.Handshake) { h.Connection = []byte("upgrade") }, ""},
		{"no connection", func(h *ws.Handshake) { h.Connection = nil }, connection},
		{"connection without the token", func(h *ws.Handshake) { h.Connection = []byte("keep-alive, upgraded") }, connection},
		{"no key", func(h *ws.Handshake) { h.Key = nil }, key},
		{"short key", func(h *ws.Handshake) { h.Key = []byte("dGhlIHNhbXBsZSBub25jZQ=") }, key},
		{"long key", func(h *ws.Handshake) { h.Key = []byte("dGhlIHNhbXBsZSBub25jZQ===") }, key},
		{"key without padding", func(h *ws.Handshake) { h.Key = []byte("dGhlIHNhbXBsZSBub25jZQaa") }, key},
		{"key with another letter", func(h *ws.Handshake) { h.Key = []byte("dGhlIHNhbXBsZSBub25jZ_==") }, key},
		{"no version", func(h *ws.Handshake) { h.Version = nil }, version},
		{"version 8", func(h *ws.Handshake) { h.Version = []byte("8") }, ""},
		{"version 14", func(h *ws.Handshake) { h.Version = []byte("14") }, version},
		{"protocols", func(h *ws.Handshake) { h.Protocol = []byte("chat, v2.chat") }, ""},
		{"empty protocol field", func(h *ws.Handshake) { h.Protocol = []byte{} }, protocol},
		{"empty protocol", func(h *ws.Handshake) { h.Protocol = []byte("a,,b") }, protocol},
		{"comma at the end", func(h *ws.Handshake) { h.Protocol = []byte("a,") }, protocol},
		{"protocol with a space", func(h *ws.Handshake) { h.Protocol = []byte("a b") }, protocol},
		{"protocol that would add a field", func(h *ws.Handshake) { h.Protocol = []byte("a\r\nX: y") }, protocol},
		{"extensions are not looked at", func(h *ws.Handshake) { h.Extensions = []byte("constructor; \"") }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := goodHandshake()
			tt.change(&h)
			got := h.Check()
			if tt.want == "" {
				if got != nil {
					t.Errorf("refused: %s", got.Message)
				}
				return
			}
			if got == nil || got.Status != 400 || got.Message != tt.want {
				t.Fatalf("got %+v, want %s", got, tt.want)
			}
			if (got.Header == "Sec-WebSocket-Version: 13, 8\r\n") != (tt.want == version) {
				t.Errorf("header %q", got.Header)
			}
		})
	}
}

func TestHandshakeAppendAccept(t *testing.T) {
	h := goodHandshake()
	h.Protocol = []byte(" chat , superchat")
	got := string(h.AppendAccept([]byte("pre"), []byte("Set-Cookie: io=1\r\n")))
	want := "preHTTP/1.1 101 Switching Protocols\r\n" +
		"Upgrade: websocket\r\n" +
		"Connection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
		"Sec-WebSocket-Protocol: chat\r\n" +
		"Set-Cookie: io=1\r\n\r\n"
	if got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// Lists of a megabyte. In quadratic time this test would not end.
func TestHandshakeListsTakeLinearTime(t *testing.T) {
	lists := map[string]bool{ // whether a list of subprotocols
		strings.Repeat(" ", 1<<20):              false,
		strings.Repeat(" ,", 1<<19):             false,
		strings.Repeat("a,", 1<<19) + "b":       true,
		"a" + strings.Repeat("\t", 1<<20) + "b": false,
	}
	for list, want := range lists {
		h := goodHandshake()
		h.Protocol, h.Connection = []byte(list), []byte(list+",upgrade")
		if got := h.Check() == nil; got != want {
			t.Errorf("%q...: accepted %v", list[:4], got)
		}
	}
}

func TestHandshakeAllocatesNothing(t *testing.T) {
	h := goodHandshake()
	h.Protocol = []byte("chat, superchat")
	dst := make([]byte, 0, 512)
	n := testing.AllocsPerRun(100, func() {
		if h.Check() == nil {
			dst = h.AppendAccept(dst[:0], []byte("A: b\r\n"))
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzHandshake checks that a request which passes gets a response that
// net/http reads as one 101 with nothing of the request's making in it but the
// subprotocol.
func FuzzHandshake(f *testing.F) {
	h := goodHandshake()
	f.Add(h.Upgrade, h.Connection, h.Version, h.Key, []byte("chat, superchat"), []byte(nil))
	f.Add(h.Upgrade, h.Connection, []byte("8"), h.Key, []byte("a\r\nX: y"), []byte("permessage-deflate"))
	f.Add([]byte("WEBSOCKET"), []byte(",,upgrade,"), h.Version, []byte("AAAAAAAAAAAAAAAAAAAAAA=="), []byte(" ,"), []byte("constructor"))
	f.Fuzz(func(t *testing.T, upgrade, connection, version, key, protocol, extensions []byte) {
		h := ws.Handshake{Upgrade: upgrade, Connection: connection, Version: version, Key: key, Protocol: protocol, Extensions: extensions}
		refusal := h.Check()
		answer := h.AppendAccept(nil, nil)
		if refusal != nil {
			if refusal.Status != 400 || refusal.Message == "" {
				t.Fatalf("refusal %+v", refusal)
			}
			return
		}
		in := bufio.NewReader(bytes.NewReader(answer))
		resp, err := http.ReadResponse(in, &http.Request{Method: "GET"})
		if err != nil || resp.StatusCode != 101 || in.Buffered() != 0 {
			t.Fatalf("%v in %q", err, answer)
		}
		fields := 3
		if p := resp.Header.Get("Sec-WebSocket-Protocol"); p != "" {
			fields++
			first, _, _ := strings.Cut(string(protocol), ",")
			if p != strings.Trim(first, " \t") {
				t.Fatalf("protocol %q of %q", p, protocol)
			}
		}
		if len(resp.Header) != fields || len(resp.Header.Get("Sec-WebSocket-Accept")) != 28 {
			t.Fatalf("answer %q", answer)
		}
	})
}
