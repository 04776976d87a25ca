package http1_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// FuzzBody compares with net/http: the same content and the same rest, and no end
// where net/http sees none. A negative length means chunked.
func FuzzBody(f *testing.F) {
	f.Add(int16(-1), []byte("3\r\nabc\r\n0\r\n\r\nnext"))
	f.Add(int16(-1), []byte("1;a=\"b\"\r\nx\r\nA\r\n0123456789\r\n000\r\nA: b\r\n\r\nGET / HTTP/1.1\r\n\r\n"))
	f.Add(int16(-1), []byte("7fffffffffffffff\r\nx"))
	f.Add(int16(3), []byte("abcdef"))
	f.Add(int16(0), []byte("GET"))
	f.Fuzz(func(t *testing.T, length int16, b []byte) {
		head := chunkedHead
		if length >= 0 {
			head = fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", length)
		}
		var q http1.Request
		if n, err := http1.ParseHead([]byte(head), 0, &q); n != len(head) {
			t.Fatal(err)
		}
		d := http1.NewBody(&q)
		data, n, done, err := decode(d, b)
		done = done || length == 0
		if err == nil {
			requireBodyOfNetHTTP(t, head, b, data, n, done)
		}
		requireBodySplitInvariant(t, d, b)
	})
}

func requireBodyOfNetHTTP(t *testing.T, head string, b, data []byte, n int, done bool) {
	t.Helper()
	br := bufio.NewReader(io.MultiReader(strings.NewReader(head), bytes.NewReader(b)))
	r, err := http.ReadRequest(br)
	if err != nil {
		t.Fatal(err)
	}
	want, err := io.ReadAll(r.Body)
	if !done {
		if err == nil {
			t.Errorf("not ended after %d bytes, net/http has the whole", n)
		}
		return
	}
	if err != nil {
		t.Fatalf("net/http refuses what was accepted: %v", err)
	}
	if !bytes.Equal(data, want) {
		t.Errorf("content %q, net/http has %q", data, want)
	}
	if rest, _ := io.ReadAll(br); !bytes.Equal(rest, b[n:]) {
		t.Errorf("rest %q, net/http has %q", b[n:], rest)
	}
}
