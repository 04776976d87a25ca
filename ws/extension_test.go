package ws_test

import (
	"bytes"
	"strings"
	"testing"
)

const (
	noTakeover = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	refused    = "refused"
	declined   = ""
)

// negotiate returns the answer's field, declined, or refused.
func negotiate(t testing.TB, offer string, windowBits int) string {
	t.Helper()
	h := goodHandshake()
	h.Extensions = []byte(offer)
	if r := h.Negotiate(windowBits); r != nil {
		if r.Status != 400 || r.Message != "Invalid or unacceptable Sec-WebSocket-Extensions header" {
			t.Errorf("refusal %+v", r)
		}
		return refused
	}
	answer := string(h.AppendAccept(nil, nil))
	_, field, there := strings.Cut(answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
	if !there || h.Deflates() != (field != "\r\n") {
		t.Errorf("%q: answer %q", offer, answer)
	}
	return strings.TrimSuffix(field, "\r\n\r\n")[:max(0, len(field)-4)]
}

func TestNegotiate(t *testing.T) {
	const narrow = noTakeover + "; server_max_window_bits=12"
	for _, tt := range []struct {
		offer      string
		windowBits int
		want       string
	}{
		{"", 15, declined},
		{"permessage-deflate", 15, noTakeover},
		{"permessage-deflate; client_max_window_bits", 15, noTakeover}, // Chromium, Node's ws
		{"permessage-deflate;server_no_context_takeover;client_no_context_takeover", 15, noTakeover},
		{" permessage-deflate\t; client_max_window_bits = 10 ", 15, noTakeover},
		{`permessage-deflate; client_max_window_bits="10"`, 15, noTakeover},
		{`permessage-deflate; client_max_window_bits="\1\0"`, 15, noTakeover},
		{"permessage-deflate; server_max_window_bits=15", 15, noTakeover},
		{"permessage-deflate; server_max_window_bits=14", 15, declined},
		{"permessage-deflate; server_max_window_bits=14", 12, narrow},
		{"permessage-deflate; server_max_window_bits=12", 12, narrow},
		{"permessage-deflate; server_max_window_bits=11", 12, declined},
		{"permessage-deflate", 12, narrow},

		// Several offers: the first that will do.
		{"permessage-deflate; server_max_window_bits=10, permessage-deflate", 15, noTakeover},
		{"x-webkit-deflate-frame, permessage-deflate; client_max_window_bits", 15, noTakeover},
		{"permessage-deflate, permessage-deflate; x", 15, noTakeover},
		{"permessage-deflate; x, permessage-deflate", 15, noTakeover},
		{",, permessage-deflate ,,", 15, noTakeover},
		{strings.Repeat("a;b=c,", 1000) + "permessage-deflate", 15, noTakeover},

		// Offers that are none of ours (RFC 7692 section 5.1).
		{"constructor", 15, declined},
		{"__proto__; constructor; toString=1", 15, declined},
		{"Permessage-Deflate", 15, declined},
		{"permessage-deflate2", 15, declined},
		{"permessage-deflate; constructor", 15, declined},
		{"permessage-deflate; unknown=1", 15, declined},
		{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", 15, declined},
		{"permessage-deflate; client_max_window_bits; client_max_window_bits=10", 15, declined},
		{"permessage-deflate; server_no_context_takeover=1", 15, declined},
		{"permessage-deflate; client_no_context_takeover=true", 15, declined},
		{"permessage-deflate; server_max_window_bits", 15, declined},
		{"permessage-deflate; server_max_window_bits=7", 15, declined},
		{"permessage-deflate; server_max_window_bits=16", 15, declined},
		{"permessage-deflate; server_max_window_bits=08", 15, declined},
		{"permessage-deflate; server_max_window_bits=015", 15, declined},
		{"permessage-deflate; server_max_window_bits=+8", 15, declined},
		{"permessage-deflate; client_max_window_bits=1000000000000000000015", 15, declined},

		// No list of offers (RFC 6455 section 9.1).
		{`permessage-deflate; client_max_window_bits="10`, 15, refused},
		{`permessage-deflate; client_max_window_bits="`, 15, refused},
		{`permessage-deflate; client_max_window_bits=""`, 15, refused},
		{`permessage-deflate; client_max_window_bits="\`, 15, refused},
		{`permessage-deflate; client_max_window_bits="1 0"`, 15, refused},
		{`permessage-deflate; client_max_window_bits=`, 15, refused},
		{`"`, 15, refused},
		{`"permessage-deflate"`, 15, refused},
		{";;;,,,===", 15, refused},
		{"permessage-deflate;", 15, refused},
		{"permessage-deflate;;x", 15, refused},
		{"permessage-deflate; =10", 15, refused},
		{"permessage-deflate; a b", 15, refused},
		{"permessage-deflate x", 15, refused},
		{"permessage-deflate=1", 15, refused},
		{"permessage-deflate, a\x00", 15, refused},
		{"permessage-deflate; a\xff", 15, refused},
	} {
		if got := negotiate(t, tt.offer, tt.windowBits); got != tt.want {
			t.Errorf("%.80q at %d bits: %q, want %q", tt.offer, tt.windowBits, got, tt.want)
		}
	}
}

func TestNegotiateTakesLinearTimeAndAllocatesNothing(t *testing.T) {
	for _, offer := range []string{
		strings.Repeat("permessage-deflate; server_max_window_bits=8,", 1<<15),
		"a" + strings.Repeat(";b", 1<<19), strings.Repeat(" \t", 1<<19), strings.Repeat(",", 1<<20),
		`a;b="` + strings.Repeat(`\a`, 1<<19) + `"`, "a;b=" + strings.Repeat("1", 1<<20),
	} {
		h := goodHandshake()
		h.Extensions = []byte(offer)
		if n := testing.AllocsPerRun(1, func() { _ = h.Negotiate(15) }); n > 0 || h.Deflates() {
			t.Errorf("%.20q...: %v allocations, accepted %v", offer, n, h.Deflates())
		}
	}
}

// FuzzNegotiate: whatever is offered, what is answered was on the list, in good order,
// and nothing of the request's making is in it.
func FuzzNegotiate(f *testing.F) {
	for _, s := range []string{
		"permessage-deflate; client_max_window_bits", `permessage-deflate; client_max_window_bits="\1\0"`,
		"constructor", `permessage-deflate; x="`, `"`, ";;;,,,===", "a;b=c;b=d, a",
		"permessage-deflate; server_max_window_bits=10, permessage-deflate", "permessage-deflate; server_max_window_bits=9;server_max_window_bits=9",
	} {
		f.Add([]byte(s), uint8(15))
	}
	f.Fuzz(func(t *testing.T, offer []byte, bits uint8) {
		windowBits := 9 + int(bits%7)
		kept := bytes.Clone(offer)
		got := negotiate(t, string(offer), windowBits)
		if !bytes.Equal(offer, kept) {
			t.Fatal("the offer was changed")
		}
		if got == declined || got == refused {
			return
		}
		if !strings.HasPrefix(got, noTakeover) || strings.ContainsAny(got, "\r\n") || !bytes.Contains(offer, []byte("permessage-deflate")) {
			t.Fatalf("%q to %q", got, offer)
		}
		if (windowBits < 15) != strings.Contains(got, "server_max_window_bits=") {
			t.Fatalf("%q at %d bits", got, windowBits)
		}
		if once := negotiate(t, string(offer)+", x", windowBits); once != got {
			t.Fatalf("%q, with another offer behind it %q", got, once)
		}
	})
}
