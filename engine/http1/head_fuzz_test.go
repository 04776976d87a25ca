package http1_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"testing"

	"github.com/fanfare-go/fanfare/engine/http1"
)

// FuzzParseHead holds the promise of the package comment: what ParseHead accepts,
// net/http accepts with the same meaning, however the bytes were cut.
func FuzzParseHead(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET http://h:1?a=%zz HTTP/1.0\r\nConnection: keep-alive\r\n\r\nrest",
		"OPTIONS * HTTP/1.1\r\nHost: [::1]:2\r\nOrigin: null\r\n\r\n",
		"POST /a?b HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\nTrailer: a\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\nexpect: 100-continue\r\nPragma: no-cache\r\n\r\nabc",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var q http1.Request
		n, err := http1.ParseHead(b, 0, &q)
		if n > 0 {
			requireMeaningOfNetHTTP(t, b, &q)
			requireHeadEnds(t, b, n)
		}
		if (n > 0) && err != nil || n > http1.MaxHeadBytes {
			t.Fatalf("n = %d, err = %v", n, err)
		}
		requireSplitInvariant(t, b)
	})
}

// requireMeaningOfNetHTTP fails unless net/http reads the head as q says.
func requireMeaningOfNetHTTP(t *testing.T, b []byte, q *http1.Request) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
	if err != nil {
		t.Fatalf("net/http refuses what was accepted: %v", err)
	}
	path, err := url.PathUnescape(string(q.Path))
	if err != nil {
		t.Fatal(err)
	}
	if r.URL.Path == "" {
		r.URL.Path = "/"
	}
	chunked := slices.Equal(r.TransferEncoding, []string{"chunked"})
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"method", string(q.Method), r.Method},
		{"target", string(q.Target), r.RequestURI},
		{"path", path, r.URL.Path},
		{"query", string(q.Query), r.URL.RawQuery},
		{"minor version", q.Minor, r.ProtoMinor},
		{"host", string(q.Host), r.Host},
		{"content length", q.ContentLength, r.ContentLength},
		{"chunked", q.ContentLength == -1, chunked},
		{"keep-alive", q.KeepAlive, !r.Close},
		{"fields", headerOf(q), headerOfNetHTTP(r, q)},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s: %q, net/http says %q", c.what, c.got, c.want)
		}
	}
}

// headerOf returns q's fields as net/http keeps them, without those that it takes
// out of the header.
func headerOf(q *http1.Request) http.Header {
	h := http.Header{}
	for _, f := range q.Fields {
		h.Add(string(f.Name), string(f.Value))
	}
	for _, name := range []string{"Host", "Transfer-Encoding", "Trailer"} {
		h.Del(name)
	}
	return h
}

// headerOfNetHTTP undoes what ReadRequest changes in the header.
func headerOfNetHTTP(r *http.Request, q *http1.Request) http.Header {
	r.Header.Del("Trailer") // kept unless chunked
	if q.Get("Cache-Control") == nil {
		r.Header.Del("Cache-Control") // made up from Pragma
	}
	if len(r.Header) == 0 {
		return http.Header{}
	}
	return r.Header
}

// requireHeadEnds fails unless net/http, too, finds the end of the head at n.
func requireHeadEnds(t *testing.T, b []byte, n int) {
	t.Helper()
	br := bufio.NewReader(bytes.NewReader(b))
	if _, err := http.ReadRequest(br); err != nil {
		t.Fatal(err)
	}
	if rest, _ := io.ReadAll(br); !bytes.Equal(rest, b[n:]) {
		t.Errorf("head ends at %d, net/http says %d", n, len(b)-len(rest))
	}
}
