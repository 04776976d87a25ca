package http1_test

import (
	"testing"

	"github.com/fanfare-go/fanfare/engine/http1"
	"pgregory.net/rapid"
)

// Heads put together from likely and hostile parts: what is accepted means the same
// to net/http, and how it was cut does not matter. A fuzzer that starts from bytes
// seldom gets as far as two odd fields in one valid head.
func TestHeadsMadeOfOddParts(t *testing.T) {
	part := func(t *rapid.T, label string, parts ...string) string {
		return rapid.SampledFrom(parts).Draw(t, label)
	}
	accepted, refused := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		lineEnd := func() string {
			if rapid.IntRange(0, 40).Draw(r, "end") > 0 {
				return "\r\n"
			}
			return part(r, "odd end", "\n", "\r", "\r\r\n", "\r\n ", " \r\n")
		}
		head := part(r, "method", "GET", "GET", "POST", "OPTIONS", "get", "CONNECT", "PRI", "G:T") + " " +
			part(r, "target", "/", "/", "*", "//a", "/?", "/a?b?c", "/%41%2f", "/%zz", "/:@|\\^`{}\"<>", "http://h", "http://h/", "HTTP://H?x", "https://h//x",
				"http://[::1]/", "http://[::1%25a]/", "http://a:/", "http://a:99999/", "h:80", "/a:b", "a:b", "http:/a", "http://_-~.a/", "/;a=b", "/../..") + " " +
			part(r, "version", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/0.9") + lineEnd()
		if rapid.IntRange(0, 8).Draw(r, "has host") > 0 {
			head += "Host: " + part(r, "host", "h", "h", "h", "H", "[::1]", "a:", "a:99999", "", "_-~.a", "h:80") + lineEnd()
		}
		for range rapid.IntRange(0, 4).Draw(r, "fields") {
			head += part(r, "name", "Content-Length", "content-length", "Transfer-Encoding", "Connection", "Trailer", "Expect", "Upgrade", "Pragma", "Cache-Control",
				"X", "x-Y", "Proxy-Connection", "Host", "Cookie", "X ", "X_y", "Content_Length") + ":" +
				part(r, "space", " ", "", "\t ") +
				part(r, "value", "0", "7", "007", "7, 7", "+7", "7 ", "chunked", "Chunked", "gzip, chunked", "identity", "close", "Keep-Alive", "keep-alive, upgrade",
					"a,close", ",,", "", "100-continue", "no-cache", "websocket", "content-length", "\"a,close\"", "\xff", "a\tb", "a\x00b", "18446744073709551616") + lineEnd()
		}
		b := []byte(head + "\r\n")
		var q http1.Request
		if n, _ := http1.ParseHead(b, 0, &q); n > 0 {
			accepted++
			requireMeaningOfNetHTTP(t, b[:n], &q)
		} else {
			refused++
		}
		requireSplitInvariant(t, b)
		if t.Failed() {
			r.Fatalf("%q", b)
		}
	})
	t.Logf("%d accepted, %d refused", accepted, refused)
}
