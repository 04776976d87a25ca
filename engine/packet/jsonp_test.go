package packet_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fanfare-go/fanfare/engine/packet"
)

func TestAppendJSONPIsACall(t *testing.T) {
	const payload = "0{\"sid\":\"a\\b\"}\x1e4<\u00fc\u2028\u2029\n\r\t\b\f\x00\x7f>"
	const want = `___eio[3]("0{\"sid\":\"a\\b\"}\u001e4<ü\u2028\u2029\n\r\t\b\f\u0000` + "\x7f" + `>");`
	if got := string(packet.AppendJSONP([]byte("x"), "3", []byte(payload))); got != "x"+want {
		t.Errorf("got  %q\nwant %q", got[1:], want)
	}
	if got := string(packet.AppendJSONP(nil, "", nil)); got != `___eio[]("");` {
		t.Errorf("empty: %q", got)
	}
}

func TestUnescapeNewlines(t *testing.T) {
	for in, want := range map[string]string{
		``:               ``,
		`4plain`:         `4plain`,
		`4a\nb`:          "4a\nb",
		`4a\\nb`:         `4a\nb`,
		`4a\\\nb`:        `4a\\nb`,
		`4a\\\\nb`:       `4a\\\nb`,
		`\n\n`:           "\n\n",
		`\\n\n\\n`:       `\n` + "\n" + `\n`,
		`\`:              `\`,
		`\\`:             `\\`,
		`a\`:             `a\`,
		`a\\`:            `a\\`,
		`\t\\t`:          `\t\\t`,
		"already\nthere": "already\nthere",
	} {
		if got := string(packet.UnescapeNewlines([]byte(in))); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// What a client escapes comes back (engine.io-client 5, polling-jsonp.js: doWrite).
func FuzzJSONPNewlines(f *testing.F) {
	for _, s := range []string{"", "4a\nb", `4a\nb`, `\\n`, "\n\\n\\\\n\\\\\\n", `\`, "\\\n"} {
		f.Add([]byte(s))
	}
	node1, node2 := regexp.MustCompile(`(\\)?\\n`), regexp.MustCompile(`\\\\n`)
	f.Fuzz(func(t *testing.T, b []byte) {
		want := node1.ReplaceAllFunc(bytes.Clone(b), func(m []byte) []byte {
			if len(m) == 3 {
				return m
			}
			return []byte("\n")
		})
		want = node2.ReplaceAll(want, []byte(`\n`))
		if got := packet.UnescapeNewlines(bytes.Clone(b)); !bytes.Equal(got, want) {
			t.Fatalf("%q: %q, Node says %q", b, got, want)
		}
		if bytes.Contains(b, []byte("\\\n")) {
			return // clients send that as they send \n; no JSON has it
		}
		sent := strings.ReplaceAll(strings.ReplaceAll(string(b), `\n`, "\\\\n"), "\n", `\n`)
		if got := packet.UnescapeNewlines([]byte(sent)); !bytes.Equal(got, b) {
			t.Fatalf("%q was sent as %q and read as %q", b, sent, got)
		}
	})
}

func FuzzAppendJSONP(f *testing.F) {
	for _, s := range []string{"", "4x\x1e3", "\u2028\u2029", "\"\\\x00\x1f\x7f", "\xff", "\xe2\x80"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got := packet.AppendJSONP(nil, "0", b)
		body, ok := bytes.CutPrefix(got, []byte("___eio[0]("))
		body, ok2 := bytes.CutSuffix(body, []byte(");"))
		var s string
		if err := json.Unmarshal(body, &s); !ok || !ok2 || err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		if utf8.Valid(b) && s != string(b) {
			t.Fatalf("%q became %q", b, s)
		}
		if bytes.ContainsAny(got, "\n\r\u2028\u2029") || !utf8.Valid(got) {
			t.Fatalf("%q is no script", got)
		}
	})
}
