package http1_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// parse feeds b in pieces that end at the given offsets and at len(b), the way a
// loop does.
func parse(b []byte, q *http1.Request, cuts ...int) (n int, err error) {
	scanned := 0
	for _, end := range append(cuts, len(b)) {
		n, err = http1.ParseHead(b[:end], scanned, q)
		if n > 0 || err != nil {
			return n, err
		}
		scanned = end
	}
	return 0, nil
}

// summary writes out all that a parse has told, for comparison.
func summary(n int, err error, q *http1.Request) string {
	if n == 0 {
		return fmt.Sprintf("0 %v", err)
	}
	return fmt.Sprintf("%d %q %q %q %q %d %q %q %d %t %t %t", n, q.Method, q.Target, q.Path, q.Query, q.Minor,
		q.Fields, q.Host, q.ContentLength, q.KeepAlive, q.Expect100, q.Upgrade)
}

// everyByte cuts in front of each byte but the first.
func everyByte(n int) []int {
	var cuts []int
	for i := 1; i < n; i++ {
		cuts = append(cuts, i)
	}
	return cuts
}

// requireSplitInvariant fails unless b gives the same result in one piece, in any
// two pieces and byte by byte.
func requireSplitInvariant(t *testing.T, b []byte) {
	t.Helper()
	var q http1.Request
	n, err := parse(b, &q)
	want := summary(n, err, &q)
	check := func(cuts ...int) {
		n, err := parse(b, &q, cuts...)
		if got := summary(n, err, &q); got != want {
			t.Fatalf("cut at %v:\n got %s\nwant %s", cuts, got, want)
		}
	}
	step := 1 + len(b)/512
	for i := 1; i < len(b); i += step {
		check(i)
	}
	check(everyByte(len(b))...)
}

func TestAcceptedHeads(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: h\r\n"
	tests := []struct {
		name, head string
		want       func(q *http1.Request) bool
	}{
		{"origin-form", "GET /socket.io/?EIO=4&t=a?b HTTP/1.1\r\nHost: example.com:3000\r\n\r\n", func(q *http1.Request) bool {
			return string(q.Method) == "GET" && string(q.Target) == "/socket.io/?EIO=4&t=a?b" && string(q.Path) == "/socket.io/" &&
				string(q.Query) == "EIO=4&t=a?b" && string(q.Host) == "example.com:3000" && q.Minor == 1 && q.KeepAlive
		}},
		{"no query", get + "\r\n", func(q *http1.Request) bool { return string(q.Path) == "/" && q.Query == nil }},
		{"empty query", "GET /? HTTP/1.1\r\nHost: h\r\n\r\n", func(q *http1.Request) bool { return q.Query != nil && len(q.Query) == 0 }},
		{"path with escapes stays raw", "GET /a%2Fb HTTP/1.1\r\nHost: h\r\n\r\n", func(q *http1.Request) bool { return string(q.Path) == "/a%2Fb" }},
		{"query with bad escapes is not judged", "GET /?a=%zz|{} HTTP/1.1\r\nHost: h\r\n\r\n", func(q *http1.Request) bool { return string(q.Query) == "a=%zz|{}" }},
		{"two slashes are a path", "GET //evil/x HTTP/1.1\r\nHost: h\r\n\r\n", func(q *http1.Request) bool { return string(q.Path) == "//evil/x" && string(q.Host) == "h" }},
		{"absolute-form", "GET http://h:80/a?b=c HTTP/1.1\r\nHost: H:80\r\n\r\n", func(q *http1.Request) bool {
			return string(q.Path) == "/a" && string(q.Query) == "b=c" && string(q.Host) == "h:80"
		}},
		{"absolute-form without path", "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", func(q *http1.Request) bool { return string(q.Path) == "/" && q.Query == nil }},
		{"absolute-form, query without path", "GET HTTPS://h?x HTTP/1.1\r\nHost: h\r\n\r\n", func(q *http1.Request) bool { return string(q.Path) == "/" && string(q.Query) == "x" }},
		{"absolute-form in 1.0 needs no Host", "GET http://h/ HTTP/1.0\r\n\r\n", func(q *http1.Request) bool { return string(q.Host) == "h" }},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", func(q *http1.Request) bool { return string(q.Path) == "*" }},
		{"any token is a method", "M-SEARCH!x / HTTP/1.1\r\nHost: h\r\n\r\n", func(q *http1.Request) bool { return string(q.Method) == "M-SEARCH!x" }},
		{"IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:3000\r\n\r\n", func(q *http1.Request) bool { return string(q.Host) == "[::1]:3000" }},
		{"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", func(q *http1.Request) bool { return len(q.Host) == 0 }},
		{"name case and whitespace around values", "GET / HTTP/1.1\r\nhOsT: \t h \t\r\n\r\n", func(q *http1.Request) bool { return string(q.Host) == "h" }},
		{"tabs and obs-text in values", get + "X: a\tb \xffcdefghijk\r\n\r\n", func(q *http1.Request) bool { return string(q.Get("x")) == "a\tb \xffcdefghijk" }},
		{"empty value", get + "X:\r\n\r\n", func(q *http1.Request) bool { return q.Get("x") != nil && len(q.Get("x")) == 0 }},
		{"HTTP/1.0 closes", "GET / HTTP/1.0\r\n\r\n", func(q *http1.Request) bool { return q.Minor == 0 && !q.KeepAlive && q.Host == nil }},
		{"HTTP/1.0 with keep-alive", "GET / HTTP/1.0\r\nConnection: foo, Keep-Alive\r\n\r\n", func(q *http1.Request) bool { return q.KeepAlive }},
		{"close wins over keep-alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", func(q *http1.Request) bool { return !q.KeepAlive }},
		{"HTTP/1.1 close", get + "Connection: x,Close\r\n\r\n", func(q *http1.Request) bool { return !q.KeepAlive }},
		{"upgrade", get + "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n", func(q *http1.Request) bool { return q.Upgrade && q.KeepAlive }},
		{"upgrade without the token", get + "Upgrade: websocket\r\n\r\n", func(q *http1.Request) bool { return !q.Upgrade }},
		{"upgrade without the field", get + "Connection: upgrade\r\n\r\n", func(q *http1.Request) bool { return !q.Upgrade }},
		{"upgrade in HTTP/1.0 is ignored", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", func(q *http1.Request) bool { return !q.Upgrade }},
		{"Content-Length", get + "Content-Length: 0042\r\n\r\n", func(q *http1.Request) bool { return q.ContentLength == 42 }},
		{"largest Content-Length", get + "Content-Length: 9223372036854775807\r\n\r\n", func(q *http1.Request) bool { return q.ContentLength == 1<<63-1 }},
		{"no body", get + "\r\n", func(q *http1.Request) bool { return q.ContentLength == 0 }},
		{"chunked", get + "Transfer-Encoding: Chunked\r\nTrailer: X-Sum\r\n\r\n", func(q *http1.Request) bool { return q.ContentLength == -1 }},
		{"100-continue", get + "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n", func(q *http1.Request) bool { return q.Expect100 }},
		{"100-continue without a body", get + "Expect: 100-continue\r\n\r\n", func(q *http1.Request) bool { return !q.Expect100 }},
		{"100-continue in HTTP/1.0 is ignored", "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", func(q *http1.Request) bool { return !q.Expect100 && q.ContentLength == 1 }},
		{"100 fields", get + strings.Repeat("a: b\r\n", 99) + "\r\n", func(q *http1.Request) bool { return len(q.Fields) == 100 }},
		{"request line of 8 KiB", "GET /" + strings.Repeat("a", 8192-16) + " HTTP/1.1\r\nHost: h\r\n\r\n", func(q *http1.Request) bool { return len(q.Target) == 8192-15 }},
		{"head of 16 KiB", get + "x: " + strings.Repeat("a", 16384-len(get)-7) + "\r\n\r\n", func(q *http1.Request) bool { return len(q.Fields) == 2 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var q http1.Request
			n, err := parse([]byte(tt.head+"next"), &q)
			if err != nil || n != len(tt.head) {
				t.Fatalf("n = %d of %d, err = %v", n, len(tt.head), err)
			}
			if !tt.want(&q) {
				t.Errorf("parsed as %s", summary(n, nil, &q))
			}
			requireMeaningOfNetHTTP(t, []byte(tt.head), &q)
			requireSplitInvariant(t, []byte(tt.head))
		})
	}
}

func TestRefusedHeads(t *testing.T) {
	const get = "GET / HTTP/1.1\r\nHost: h\r\n"
	tests := []struct {
		name, head string
		want       *http1.Error
	}{
		{"bare LF after the request line", "GET / HTTP/1.1\nHost: h\r\n\r\n", http1.ErrLineEnd},
		{"bare LF after a field", "GET / HTTP/1.1\r\nHost: h\n\r\n", http1.ErrLineEnd},
		{"bare LF as the last line", get + "\n", http1.ErrLineEnd},
		{"bare CR in the request line", "GET /\r HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"bare CR after the version", "GET / HTTP/1.1\r\r\nHost: h\r\n\r\n", http1.ErrRequestLine},
		{"bare CR in a value", get + "X: a\rb\r\n\r\n", http1.ErrFieldValue},
		{"bare CR at the end of a value", get + "X: a\r\r\n\r\n", http1.ErrFieldValue},
		{"bare CR in a name", get + "X\rY: a\r\n\r\n", http1.ErrFieldName},
		{"bare CR as the last line", get + "\r\r\n", http1.ErrFieldName},
		{"NUL in a value", get + "X: 0123456789\x00\r\n\r\n", http1.ErrFieldValue},
		{"control byte among eight", get + "X: 0123\x1f567\r\n\r\n", http1.ErrFieldValue},
		{"DEL in a value", get + "X: 012\x7f4567\r\n\r\n", http1.ErrFieldValue},
		{"obs-fold with space", get + "X: a\r\n b\r\n\r\n", http1.ErrFold},
		{"obs-fold with tab", get + "X: a\r\n\tb: c\r\n\r\n", http1.ErrFold},
		{"fold before the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", http1.ErrFold},
		{"space before the colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", http1.ErrFieldName},
		{"tab before the colon", get + "Content-Length\t: 5\r\n\r\n", http1.ErrFieldName},
		{"empty name", get + ": a\r\n\r\n", http1.ErrFieldName},
		{"no colon", get + "X\r\n\r\n", http1.ErrFieldName},
		{"non-token name", get + "X[0]: a\r\n\r\n", http1.ErrFieldName},
		{"name outside ASCII", get + "Content\xffLength: 5\r\n\r\n", http1.ErrFieldName},
		{"NUL in a name", get + "X\x00: a\r\n\r\n", http1.ErrFieldName},

		{"empty line first", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrMethod},
		{"empty method", " / HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrMethod},
		{"non-token method", "G(T / HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrMethod},
		{"TLS hello", "\x16\x03\x01\x02\x00", http1.ErrMethod},
		{"two spaces before the target", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrRequestLine},
		{"two spaces after the target", "GET /  HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrRequestLine},
		{"space in the target", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrRequestLine},
		{"tab in the target", "GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"control byte in the target", "GET /a\x01 HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"DEL in the target", "GET /a\x7f HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"NUL in the query", "GET /?\x00 HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"target outside ASCII", "GET /\xc3\xbc HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"fragment", "GET /#a HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"bad escape in the path", "GET /%4 HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"relative path", "GET index.html HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"asterisk-form of GET", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"authority-form", "GET h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", http1.ErrTarget},
		{"CONNECT", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", http1.ErrConnect},
		{"other scheme", "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"absolute-form without host", "GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"absolute-form with user information", "GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},
		{"absolute-form with a bad port", "GET http://h:8a/ HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrTarget},

		{"HTTP/0.9", "GET /\r\n", http1.ErrRequestLine},
		{"empty version", "GET / \r\n\r\n", http1.ErrRequestLine},
		{"version in lower case", "GET / http/1.1\r\nHost: h\r\n\r\n", http1.ErrRequestLine},
		{"version of two digits", "GET / HTTP/1.10\r\nHost: h\r\n\r\n", http1.ErrRequestLine},
		{"HTTP/1.2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", http1.ErrVersion},
		{"HTTP/2.0 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", http1.ErrVersion},

		{"no Host in 1.1", "GET / HTTP/1.1\r\n\r\n", http1.ErrHost},
		{"two Hosts", get + "host: h\r\n\r\n", http1.ErrHost},
		{"two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", http1.ErrHost},
		{"Host that is a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", http1.ErrHost},
		{"Host with a path", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", http1.ErrHost},
		{"Host with user information", "GET / HTTP/1.1\r\nHost: a@h\r\n\r\n", http1.ErrHost},
		{"Host that is only a port", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", http1.ErrHost},
		{"Host with a bad port", "GET / HTTP/1.1\r\nHost: h:+80\r\n\r\n", http1.ErrHost},
		{"Host with a bad IPv6 literal", "GET / HTTP/1.1\r\nHost: [::g]\r\n\r\n", http1.ErrHost},
		{"Host with text after an IPv6 literal", "GET / HTTP/1.1\r\nHost: [::1]evil\r\n\r\n", http1.ErrHost},
		{"Host with an IPv4 literal in brackets", "GET / HTTP/1.1\r\nHost: [127.0.0.1]\r\n\r\n", http1.ErrHost},
		{"Host other than the target's", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", http1.ErrHost},
		{"no Host beside an absolute-form", "GET http://a/ HTTP/1.1\r\n\r\n", http1.ErrHost},

		{"both lengths", get + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", http1.ErrLengthAndCoding},
		{"differing Content-Length", get + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", http1.ErrContentLength},
		{"same Content-Length twice", get + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", http1.ErrContentLength},
		{"Content-Length list", get + "Content-Length: 5, 5\r\n\r\n", http1.ErrContentLength},
		{"Content-Length with plus", get + "Content-Length: +5\r\n\r\n", http1.ErrContentLength},
		{"Content-Length with minus", get + "Content-Length: -5\r\n\r\n", http1.ErrContentLength},
		{"Content-Length with a space", get + "Content-Length: 1 0\r\n\r\n", http1.ErrContentLength},
		{"Content-Length in hexadecimal", get + "Content-Length: 0x5\r\n\r\n", http1.ErrContentLength},
		{"Content-Length with underscore", get + "Content-Length: 1_0\r\n\r\n", http1.ErrContentLength},
		{"Content-Length empty", get + "Content-Length:\r\n\r\n", http1.ErrContentLength},
		{"Content-Length 2^63", get + "Content-Length: 9223372036854775808\r\n\r\n", http1.ErrContentLength},
		{"Content-Length that wraps", get + "Content-Length: 18446744073709551621\r\n\r\n", http1.ErrContentLength},
		{"unknown coding", get + "Transfer-Encoding: gzip\r\n\r\n", http1.ErrUnknownCoding},
		{"nearly chunked", get + "Transfer-Encoding: xchunked\r\n\r\n", http1.ErrUnknownCoding},
		{"coding before chunked", get + "Transfer-Encoding: gzip;q=1, chunked\r\n\r\n", http1.ErrUnknownCoding},
		{"identity", get + "Transfer-Encoding: identity\r\n\r\n", http1.ErrUnknownCoding},
		{"coding after chunked", get + "Transfer-Encoding: chunked, gzip\r\n\r\n", http1.ErrTransferCoding},
		{"chunked with a parameter", get + "Transfer-Encoding: chunked;a=b\r\n\r\n", http1.ErrTransferCoding},
		{"chunked twice", get + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", http1.ErrTransferCoding},
		{"chunked after a vertical tab", get + "Transfer-Encoding: \x0bchunked\r\n\r\n", http1.ErrFieldValue},
		{"empty coding", get + "Transfer-Encoding:\r\n\r\n", http1.ErrTransferCoding},
		{"quoted coding", get + "Transfer-Encoding: \"chunked\"\r\n\r\n", http1.ErrTransferCoding},
		{"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", http1.ErrTransferCoding},
		{"framing field as trailer", get + "Transfer-Encoding: chunked\r\nTrailer: a, content-length\r\n\r\n", http1.ErrTrailer},
		{"other expectation", get + "Expect: 200-ok\r\n\r\n", http1.ErrExpect},
		{"expectation with more", get + "Expect: 100-continue, x\r\n\r\n", http1.ErrExpect},

		{"request line over 8 KiB", "GET /" + strings.Repeat("a", 8192-15) + " HTTP/1.1\r\nHost: h\r\n\r\n", http1.ErrLineLength},
		{"request line over 8 KiB, unfinished", "GET /" + strings.Repeat("a", 8192-5), http1.ErrLineLength},
		{"101 fields", get + strings.Repeat("a: b\r\n", 100) + "\r\n", http1.ErrFieldCount},
		{"101 fields, unfinished", get + strings.Repeat("a: b\r\n", 100), http1.ErrFieldCount},
		{"head over 16 KiB", get + "x: " + strings.Repeat("a", 16384-len(get)-6) + "\r\n\r\n", http1.ErrHeadLength},
		{"head over 16 KiB, unfinished", get + "x: " + strings.Repeat("a", 16384-len(get)-3), http1.ErrHeadLength},
		{"fault behind 16 KiB", get + "x: " + strings.Repeat("a", 16384) + "\n", http1.ErrHeadLength},
		{"fault in an unfinished head", get + "X : a\r\n", http1.ErrFieldName},
	}
	status := map[*http1.Error]int{
		http1.ErrConnect: 501, http1.ErrUnknownCoding: 501, http1.ErrVersion: 505, http1.ErrLineLength: 414,
		http1.ErrFieldCount: 431, http1.ErrHeadLength: 431, http1.ErrExpect: 417,
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var q http1.Request
			n, err := parse([]byte(tt.head), &q)
			if n != 0 || !errors.Is(err, tt.want) {
				t.Fatalf("n = %d, err = %v, want %v", n, err, tt.want)
			}
			want := status[tt.want]
			if want == 0 {
				want = 400
			}
			if tt.want.Status != want {
				t.Errorf("status = %d, want %d", tt.want.Status, want)
			}
			requireSplitInvariant(t, []byte(tt.head))
		})
	}
}

func TestUnfinishedHeads(t *testing.T) {
	for _, head := range []string{
		"", "G", "GET / HTTP/1.1", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: h\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r",
	} {
		var q http1.Request
		if n, err := http1.ParseHead([]byte(head), 0, &q); n != 0 || err != nil {
			t.Errorf("%q: n = %d, err = %v", head, n, err)
		}
		if n, err := http1.ParseHead([]byte(head), len(head), &q); n != 0 || err != nil {
			t.Errorf("%q again: n = %d, err = %v", head, n, err)
		}
	}
}

func TestRequestIsReusable(t *testing.T) {
	var q http1.Request
	if _, err := parse([]byte("POST http://a/?x HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: b\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"), &q); err != nil {
		t.Fatal(err)
	}
	second := []byte("GET / HTTP/1.0\r\n\r\n")
	if _, err := parse(second, &q); err != nil {
		t.Fatal(err)
	}
	var fresh http1.Request
	if _, err := parse(second, &fresh); err != nil {
		t.Fatal(err)
	}
	if got, want := summary(1, nil, &q), summary(1, nil, &fresh); got != want {
		t.Errorf("after another request:\n got %s\nwant %s", got, want)
	}
}

func TestPipelinedHeads(t *testing.T) {
	b := []byte(strings.Repeat("GET /a HTTP/1.1\r\nHost: h\r\n\r\n", 3))
	var q http1.Request
	count := 0
	for ; len(b) > 0; count++ {
		n, err := http1.ParseHead(b, 0, &q)
		if n == 0 || err != nil {
			t.Fatalf("n = %d, err = %v", n, err)
		}
		b = b[n:]
	}
	if count != 3 {
		t.Errorf("%d requests, want 3", count)
	}
}

func TestErrorText(t *testing.T) {
	if got := http1.ErrHost.Error(); !strings.HasPrefix(got, "http1: ") {
		t.Errorf("Error() = %q", got)
	}
}
