package http1_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/fanfare-go/fanfare/engine/http1"
)

func TestResponseBytes(t *testing.T) {
	tests := []struct {
		name string
		r    http1.Response
		want string
	}{
		{"plain", http1.Response{Status: 200, ContentType: "text/plain", Body: []byte("ok")},
			"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"},
		{"everything", http1.Response{Status: 400, ContentType: "a/b", Date: []byte("now"), Header: []byte("A: b\r\nC: d\r\n"), Body: []byte("x"), Close: true, KeepAlive10: true},
			"HTTP/1.1 400 Bad Request\r\nDate: now\r\nContent-Type: a/b\r\nContent-Length: 1\r\nA: b\r\nC: d\r\nConnection: close\r\n\r\nx"},
		{"keep-alive for 1.0", http1.Response{Status: 200, KeepAlive10: true},
			"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
		{"HEAD", http1.Response{Status: 200, Body: []byte("abc"), Head: true},
			"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"},
		{"204 has no length", http1.Response{Status: 204, Body: []byte("abc")}, "HTTP/1.1 204 No Content\r\n\r\n"},
		{"304 has no body", http1.Response{Status: 304, Body: []byte("abc")}, "HTTP/1.1 304 Not Modified\r\n\r\n"},
		{"101 has no length", http1.Response{Status: 101, Header: []byte("Connection: Upgrade\r\n")},
			"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n"},
		{"status without a text", http1.Response{Status: 299}, "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n"},
		{"status that is none", http1.Response{Status: 7}, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(tt.r.AppendTo([]byte("before")))
			if got != "before"+tt.want {
				t.Fatalf("\n got %q\nwant %q", got, "before"+tt.want)
			}
		})
	}
}

func TestResponsesFollowEachOther(t *testing.T) {
	get, head := &http.Request{Method: "GET"}, &http.Request{Method: "HEAD"}
	a := http1.Response{Status: 200, Body: []byte("first")}
	b := http1.Response{Status: 200, Body: []byte("second"), Head: true}
	c := http1.Response{Status: 404, Body: []byte("third"), Close: true}
	wire := append([]byte(nil), http1.Continue...)
	wire = c.AppendTo(b.AppendTo(a.AppendTo(wire)))
	br := bufio.NewReader(bytes.NewReader(wire))
	for _, step := range []struct {
		request *http.Request
		status  int
		length  int64
		body    string
		closes  bool
	}{
		{get, 100, 0, "", false}, {get, 200, 5, "first", false}, {head, 200, 6, "", false}, {get, 404, 5, "third", true},
	} {
		res, err := http.ReadResponse(br, step.request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != step.status || res.ContentLength != step.length || string(body) != step.body || res.Close != step.closes {
			t.Errorf("%d, length %d, %q, close %t; want %+v", res.StatusCode, res.ContentLength, body, res.Close, step)
		}
	}
	if rest, _ := io.ReadAll(br); len(rest) > 0 {
		t.Errorf("%q left", rest)
	}
}
