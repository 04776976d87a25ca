package http1_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// upgradeHead is what a browser sends: ten fields.
const upgradeHead = "GET /socket.io/?EIO=4&transport=websocket&sid=lv_VI97HAXpY6yYWAAAB HTTP/1.1\r\n" +
	"Host: chat.example.com:3000\r\n" +
	"Connection: Upgrade\r\n" +
	"Pragma: no-cache\r\n" +
	"Cache-Control: no-cache\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36\r\n" +
	"Upgrade: websocket\r\n" +
	"Origin: http://chat.example.com:3000\r\n" +
	"Sec-WebSocket-Version: 13\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
	"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"

func TestParsingAllocatesNothing(t *testing.T) {
	head := []byte(upgradeHead)
	var q http1.Request
	_, _ = parse(head, &q)
	allocs := testing.AllocsPerRun(100, func() {
		if n, err := http1.ParseHead(head[:100], 0, &q); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		if n, err := http1.ParseHead(head, 100, &q); n != len(head) || err != nil {
			t.Fatal(n, err)
		}
		if q.Get("origin") == nil || !q.HasToken("upgrade", "websocket") {
			t.Fatal("fields are missing")
		}
		for range q.Values("host") {
		}
		if _, n, ok := http1.QueryValue(q.Query, "sid"); n != 1 || !ok {
			t.Fatal("sid is missing")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want 0", allocs)
	}
}

func TestRefusingAllocatesNothing(t *testing.T) {
	head := []byte("GET / HTTP/1.1\r\nHost : h\r\n\r\n")
	var q http1.Request
	_, _ = parse(head, &q)
	if allocs := testing.AllocsPerRun(100, func() { _, _ = http1.ParseHead(head, 0, &q) }); allocs != 0 {
		t.Errorf("%v allocations, want 0", allocs)
	}
}

func TestDecodingAllocatesNothing(t *testing.T) {
	body := []byte("3;a\r\nabc\r\n2\r\nde\r\n0\r\nA: b\r\n\r\n")
	allocs := testing.AllocsPerRun(100, func() {
		d := newBody(-1)
		for rest, done := body, false; !done; {
			var n int
			_, n, done, _ = d.Next(rest)
			rest = rest[n:]
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations, want 0", allocs)
	}
}

func TestRespondingAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 512)
	r := http1.Response{Status: 200, ContentType: "text/plain; charset=UTF-8", Date: []byte("x"), Header: []byte("A: b\r\n"), Body: []byte("ok")}
	if allocs := testing.AllocsPerRun(100, func() { dst = r.AppendTo(dst[:0]) }); allocs != 0 {
		t.Errorf("%v allocations, want 0", allocs)
	}
}

func BenchmarkParseHead(b *testing.B) {
	pad := func(n int) string {
		return strings.Replace(upgradeHead, "Pragma: no-cache", "Cookie: "+strings.Repeat("a", n-len(upgradeHead)+len("Pragma: no-cache")-len("Cookie: ")), 1)
	}
	for _, head := range []string{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", upgradeHead, pad(1 << 10), pad(16 << 10)} {
		b.Run(fmt.Sprintf("%dB", len(head)), func(b *testing.B) {
			buf := []byte(head)
			var q http1.Request
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := http1.ParseHead(buf, 0, &q); n != len(buf) {
					b.Fatal(err)
				}
			}
		})
	}
}

// A head of n bytes that arrives one byte at a time costs n calls; ns/B must not
// grow with n.
func BenchmarkParseHeadDripping(b *testing.B) {
	lines := func(n, each int) string {
		line := "a: " + strings.Repeat("x", each-5) + "\r\n"
		return "GET / HTTP/1.1\r\nHost: h\r\n" + strings.Repeat(line, n/each) + "\r\n"
	}
	for _, head := range []string{lines(1<<10, 16), lines(1<<10, 512), lines(8<<10, 128), lines(15<<10, 160), lines(15<<10, 7680)} {
		b.Run(fmt.Sprintf("%dB/%dlines", len(head), strings.Count(head, "\n")), func(b *testing.B) {
			buf := []byte(head)
			var q http1.Request
			b.ReportAllocs()
			for b.Loop() {
				for i := 1; i <= len(buf); i++ {
					if _, err := http1.ParseHead(buf[:i], i-1, &q); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(buf)), "ns/B")
		})
	}
}

func BenchmarkBodyChunked(b *testing.B) {
	for _, size := range []int{16, 125, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			body := fmt.Appendf(nil, "%x\r\n%s\r\n0\r\n\r\n", size, strings.Repeat("x", size))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				d := newBody(-1)
				for rest, done := body, false; !done; {
					var n int
					_, n, done, _ = d.Next(rest)
					rest = rest[n:]
				}
			}
		})
	}
}

func BenchmarkResponse(b *testing.B) {
	for _, size := range []int{16, 125, 1 << 10, 64 << 10} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			r := http1.Response{Status: 200, ContentType: "text/plain; charset=UTF-8", Date: []byte("Sun, 06 Nov 1994 08:49:37 GMT"), Body: make([]byte, size)}
			var dst []byte
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				dst = r.AppendTo(dst[:0])
			}
		})
	}
}

func BenchmarkQueryValue(b *testing.B) {
	query := []byte("EIO=4&transport=websocket&sid=lv_VI97HAXpY6yYWAAAB")
	b.ReportAllocs()
	for b.Loop() {
		if _, n, _ := http1.QueryValue(query, "sid"); n != 1 {
			b.Fatal("sid is missing")
		}
	}
}
