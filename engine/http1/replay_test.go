package http1_test

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"testing"

	"github.com/fanfare-go/fanfare/engine/http1"
)

func TestRequestHeadComesBack(t *testing.T) {
	for _, head := range []string{
		"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h:3000\r\nConnection: Upgrade\r\nCookie: a=b\r\nCookie: c=d\r\nUpgrade: websocket\r\n\r\n",
		"POST /a%2Fb?c HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Type: text/plain\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n",
		"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"GET / HTTP/1.0\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: \r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
	} {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader([]byte(head))))
		if err != nil {
			t.Fatal(err)
		}
		got := http1.AppendRequestHead([]byte("before"), r)
		if string(got) != "before"+head {
			t.Errorf("\n got %q\nwant %q", got, "before"+head)
		}
	}
}

func TestTargetThatNetHTTPAllows(t *testing.T) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader([]byte("GET /\xc3\xbc#x?y HTTP/1.1\r\nHost: h\r\n\r\n"))))
	if err != nil {
		t.Fatal(err)
	}
	var q http1.Request
	if n, err := http1.ParseHead(http1.AppendRequestHead(nil, r), 0, &q); n == 0 || string(q.Target) != "/%C3%BC%23x?y" {
		t.Errorf("n = %d, err = %v, target %q", n, err, q.Target)
	}
}

func TestRequestHeadCannotBeInjectedInto(t *testing.T) {
	r := &http.Request{
		Method: "GET / HTTP/1.1\r\n", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "h\r\nA: 1",
		URL: &url.URL{Path: "/x y"},
		Header: http.Header{
			"B":              {"1\r\nContent-Length: 5\r\n\r\nGET", "2"},
			"C\r\nD":         {"1"},
			"":               {"1"},
			"Content-Length": {"7"}, "transfer-encoding": {"chunked"}, "Host": {"i"},
		},
	}
	want := "GET%20%2F%20HTTP%2F1.1%0D%0A /x%20y HTTP/1.1\r\nHost: h  A: 1\r\nB: 1  Content-Length: 5    GET\r\nB: 2\r\n\r\n"
	if got := string(http1.AppendRequestHead(nil, r)); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}
