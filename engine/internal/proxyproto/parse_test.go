package proxyproto_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/internal/proxyproto"
)

const (
	signature = "\r\n\r\n\x00\r\nQUIT\n"
	four      = "\xc0\x00\x02\x01" + "\xcb\x00\x71\x02" + "\x30\x39" + "\x01\xbb"
	six       = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02" + "\x30\x39" + "\x01\xbb"
)

// headers are such as balancers send, and such as nobody should.
var headers = []struct {
	name, in, source string
	n                int // 0 = the whole
	err              error
}{
	{name: "version 1, IPv4", in: "PROXY TCP4 192.0.2.1 203.0.113.2 12345 443\r\n", source: "192.0.2.1:12345"},
	{name: "version 1, IPv6", in: "PROXY TCP6 2001:db8::1 2001:db8::2 12345 443\r\n", source: "[2001:db8::1]:12345"},
	{name: "version 1, IPv4 as IPv6", in: "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 1 2\r\n", source: "192.0.2.1:1"},
	{name: "version 1, of the balancer itself", in: "PROXY UNKNOWN\r\n"},
	{name: "version 1, unknown with addresses", in: "PROXY UNKNOWN ffff:f 1 2 3\r\n"},
	{name: "version 1 and a request", in: "PROXY TCP4 192.0.2.1 203.0.113.2 1 2\r\nGET / HTTP/1.1\r\n", source: "192.0.2.1:1", n: 38},
	{name: "version 1, longest", in: "PROXY UNKNOWN " + strings.Repeat("f", 107-16) + "\r\n"},
	{name: "version 1, too long", in: "PROXY UNKNOWN " + strings.Repeat("f", 107-15) + "\r\n", err: proxyproto.ErrLength},
	{name: "version 1, no CR", in: "PROXY TCP4 192.0.2.1 203.0.113.2 1 2\n", err: proxyproto.ErrLine},
	{name: "version 1, families mixed", in: "PROXY TCP4 2001:db8::1 203.0.113.2 1 2\r\n", err: proxyproto.ErrLine},
	{name: "version 1, UDP", in: "PROXY UDP4 192.0.2.1 203.0.113.2 1 2\r\n", err: proxyproto.ErrLine},
	{name: "version 1, two spaces", in: "PROXY TCP4  192.0.2.1 203.0.113.2 1 2\r\n", err: proxyproto.ErrLine},
	{name: "version 1, port too large", in: "PROXY TCP4 192.0.2.1 203.0.113.2 1 65536\r\n", err: proxyproto.ErrLine},
	{name: "version 1, port signed", in: "PROXY TCP4 192.0.2.1 203.0.113.2 +1 2\r\n", err: proxyproto.ErrLine},
	{name: "version 1, port with a zero", in: "PROXY TCP4 192.0.2.1 203.0.113.2 01 2\r\n", err: proxyproto.ErrLine},
	{name: "version 1, no port", in: "PROXY TCP4 192.0.2.1 203.0.113.2 1\r\n", err: proxyproto.ErrLine},
	{name: "version 1, zone", in: "PROXY TCP6 fe80::1%eth0 2001:db8::2 1 2\r\n", err: proxyproto.ErrLine},
	{name: "version 1, one field more", in: "PROXY TCP4 192.0.2.1 203.0.113.2 1 2 3\r\n", err: proxyproto.ErrLine},
	{name: "version 2, IPv4", in: signature + "\x21\x11\x00\x0c" + four, source: "192.0.2.1:12345"},
	{name: "version 2, IPv6", in: signature + "\x21\x21\x00\x24" + six, source: "[2001:db8::1]:12345"},
	{name: "version 2, datagrams", in: signature + "\x21\x12\x00\x0c" + four, source: "192.0.2.1:12345"},
	{name: "version 2 with TLVs and a request", in: signature + "\x21\x11\x00\x11" + four + "\x03\x00\x02ab" + "GET", source: "192.0.2.1:12345", n: 33},
	{name: "version 2, TLVs that are none", in: signature + "\x21\x11\x00\x0e" + four + "\x03\xff", source: "192.0.2.1:12345"},
	{name: "version 2, of the balancer itself", in: signature + "\x20\x00\x00\x00"},
	{name: "version 2, local with an unknown family", in: signature + "\x20\xff\x00\x03abc"},
	{name: "version 2, local with addresses", in: signature + "\x20\x11\x00\x0c" + four},
	{name: "version 2, no family", in: signature + "\x21\x00\x00\x02ab"},
	{name: "version 2, a path", in: signature + "\x21\x31\x00\xd8" + strings.Repeat("\x00", 216)},
	{name: "version 2, unknown family", in: signature + "\x21\x41\x00\x0c" + four, err: proxyproto.ErrFamily},
	{name: "version 2, unknown transport", in: signature + "\x21\x13\x00\x0c" + four, err: proxyproto.ErrFamily},
	{name: "version 2, unknown command", in: signature + "\x22\x11\x00\x0c" + four, err: proxyproto.ErrVersion},
	{name: "version 3", in: signature + "\x31\x11\x00\x0c" + four, err: proxyproto.ErrVersion},
	{name: "version 2, too short for IPv4", in: signature + "\x21\x11\x00\x0b" + four, err: proxyproto.ErrLength},
	{name: "version 2, too short for IPv6", in: signature + "\x21\x21\x00\x0c" + six, err: proxyproto.ErrLength},
	{name: "version 2, longest", in: signature + "\x21\x11\x02\x08" + four + strings.Repeat("x", 508), source: "192.0.2.1:12345"},
	{name: "version 2, too long", in: signature + "\x21\x11\x02\x09", err: proxyproto.ErrLength},
	{name: "a request", in: "GET / HTTP/1.1\r\n", err: proxyproto.ErrNone},
	{name: "a request whose method begins alike", in: "PROPFIND / HTTP/1.1\r\n", err: proxyproto.ErrNone},
	{name: "TLS", in: "\x16\x03\x01", err: proxyproto.ErrNone},
	{name: "empty lines", in: "\r\n\r\nGET", err: proxyproto.ErrNone},
}

func TestHeaders(t *testing.T) {
	for _, c := range headers {
		t.Run(c.name, func(t *testing.T) {
			h, n, err := proxyproto.Parse([]byte(c.in))
			if !errors.Is(err, c.err) {
				t.Fatalf("%v, want %v", err, c.err)
			}
			if c.err != nil {
				return
			}
			if want := max(c.n, len(c.in)*(1-min(c.n, 1))); n != want {
				t.Errorf("took %d bytes of %d", n, len(c.in))
			}
			source := ""
			if h.Source.IsValid() {
				source = h.Source.String()
			}
			if source != c.source || h.Source.IsValid() != h.Destination.IsValid() {
				t.Errorf("%q, want %q", source, c.source)
			}
		})
	}
}

// FuzzParse: a part of a header is no other header. Whatever was said of the first bytes
// holds for all of them.
func FuzzParse(f *testing.F) {
	for _, c := range headers {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, n, err := proxyproto.Parse(b)
		if n > len(b) || n > proxyproto.MaxV2 || err != nil && n != 0 {
			t.Fatalf("%d of %d bytes, %v", n, len(b), err)
		}
		if len(b) >= proxyproto.MaxV2 && n == 0 && err == nil {
			t.Fatalf("%d bytes are not enough", len(b))
		}
		for i := range min(len(b), proxyproto.MaxV2+1) {
			switch h, m, e := proxyproto.Parse(b[:i]); {
			case e == nil && m == 0: // more is to come
			case e == nil && (h != whole || m != n):
				t.Fatalf("%v and %d after %d bytes, %v and %d after all", h, m, i, whole, n)
			case e != nil && err == nil:
				t.Fatalf("%v after %d bytes, then none", e, i)
			}
			if i < n {
				if _, m, e := proxyproto.Parse(b[:i]); m != 0 || e != nil {
					t.Fatalf("%d, %v after %d of %d bytes", m, e, i, n)
				}
			}
		}
	})
}
