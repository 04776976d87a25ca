package parser_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/parser"
)

// jsonTexts are values and near-values that scanners get wrong. They also seed the fuzz targets.
var jsonTexts = []string{
	``, ` `, `null`, `true`, `false`, `nul`, `nulll`, `tru`, `True`, `0`, `-0`, `00`, `01`, `-`, `-a`, `+1`, `1.`, `.5`, `1.5`,
	`1.5.5`, `1e5`, `1E+5`, `1e-05`, `1e`, `1e+`, `1ea`, `1e999999`, `123456789012345678901234567890`, `0x10`, `NaN`, `Infinity`,
	`""`, `"`, `"a`, `"a\"`, `"\\"`, `"\""`, `"\/"`, `"\b\f\n\r\t"`, `"\a"`, `"\u12"`, `"\u12G4"`, `"\u00e9"`, `"\uD83D\uDE00"`,
	`"\ud800"`, `"é"`, "\"\xff\"", "\"\n\"", "\"\x00\"", "\"\x1f\"", "\"\x7f\"", `"1234567`, `"12345678"`, `"1234567\"9"`,
	`[]`, `[ ]`, `[1]`, `[1,2]`, `[1,]`, `[,1]`, `[,]`, `[1 2]`, `[`, `]`, `[[]`, `[]]`, `[}`, `{]`, `[1}`, `[[[]],[]]`, `[] []`,
	`{}`, `{ }`, `{"a":1}`, `{"a" : 1 , "b":[]}`, `{"a"}`, `{"a":}`, `{a:1}`, `{"a":1,}`, `{,}`, `{1:1}`, `{"a":1 "b":2}`, `{`, `{"a":1]`,
	`{"":{"":{"":[]}}}`, " \t\r\n1 \t\r\n", "\v1", "\u00a01", "\ufeff1", `1,2`, `"a" "b"`, `//`, `[1/**/]`, `'a'`,
	`{"a":[{"b":[{"c":"]}"}]}]}`, `["x",{"_placeholder":true,"num":0}]`,
}

func TestScanAcceptsWhatTheStandardLibraryAccepts(t *testing.T) {
	for _, s := range jsonTexts {
		if err, want := parser.Scan([]byte(s), 64), json.Valid([]byte(s)); (err == nil) != want {
			t.Errorf("%q: %v, the standard library says %v", s, err, want)
		}
	}
}

func TestScanAcceptsNoBeginningOfAnArray(t *testing.T) {
	whole := chatEvent(206)[1:]
	for n := range whole {
		if err := parser.Scan(whole[:n], 64); !errors.Is(err, parser.ErrJSON) {
			t.Fatalf("%q: %v", whole[:n], err)
		}
	}
	if err := parser.Scan(whole, 64); err != nil {
		t.Fatal(err)
	}
}

func TestScanFindsTheEndOfAStringAtEveryOffset(t *testing.T) {
	for n := range 40 {
		for _, end := range []string{`"`, `\""`, `\u0041"`, `é"`, "\x7f\"", "\xff!#[]\""} {
			s := `"` + strings.Repeat("a", n) + end
			if err := parser.Scan([]byte(s), 1); err != nil {
				t.Errorf("%q: %v", s, err)
			}
			for _, bad := range []string{"\x00", "\x1f", "\n", `\x`, `"`} {
				s := `"` + strings.Repeat("a", n) + bad + end
				if err := parser.Scan([]byte(s), 1); err == nil {
					t.Errorf("%q: accepted", s)
				}
			}
		}
	}
}

func TestScanBoundsDepth(t *testing.T) {
	for _, depth := range []int{1, 63, 64, 65, 128, parser.MaxDepth} {
		for _, level := range []string{`[]`, `{"a":}`} {
			open, closing := level[:len(level)-1], level[len(level)-1:]
			nested := func(n int) []byte {
				return []byte(strings.Repeat(open, n) + "1" + strings.Repeat(closing, n))
			}
			if err := parser.Scan(nested(depth), depth); err != nil {
				t.Errorf("%d levels of %s: %v", depth, level, err)
			}
			if err := parser.Scan(nested(depth+1), depth); !errors.Is(err, parser.ErrDepth) {
				t.Errorf("%d levels of %s with %d allowed: %v", depth+1, level, depth, err)
			}
		}
	}
	if err := parser.Scan(bytes.Repeat([]byte("["), 1_000_000), 1<<30); !errors.Is(err, parser.ErrDepth) {
		t.Errorf("a million brackets: %v", err)
	}
	wide := []byte("[" + strings.Repeat("[],{},", 1000) + "[]]")
	if err := parser.Scan(wide, 2); err != nil {
		t.Errorf("wide but flat: %v", err)
	}
}

func TestScanTellsArraysFromObjectsAtEveryDepth(t *testing.T) {
	var open, closing string
	for n := range 200 {
		if n%3 == 0 {
			open, closing = open+`{"k":`, "}"+closing
		} else {
			open, closing = open+"[", "]"+closing
		}
		if err := parser.Scan([]byte(open+"0"+closing), parser.MaxDepth); err != nil {
			t.Fatalf("depth %d: %v", n+1, err)
		}
		swapped := strings.NewReplacer("]", "}", "}", "]").Replace(closing)
		if err := parser.Scan([]byte(open+"0"+swapped), parser.MaxDepth); err == nil {
			t.Fatalf("depth %d: wrong brackets accepted", n+1)
		}
	}
}

// maxOracleDepth is below the standard library's own bound of 10,000 and above everything that scan takes.
const maxOracleDepth = parser.MaxDepth

func FuzzScan(f *testing.F) {
	for _, s := range jsonTexts {
		f.Add([]byte(s))
	}
	f.Add(chatEvent(206)[1:])
	f.Fuzz(func(t *testing.T, b []byte) {
		err := parser.Scan(b, maxOracleDepth)
		if errors.Is(err, parser.ErrDepth) {
			return
		}
		if want := json.Valid(b); (err == nil) != want {
			t.Fatalf("%q: %v, the standard library says %v", b, err, want)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	for _, size := range []int{32, 206, 4096, 65536} {
		data := chatEvent(size)[1:]
		b.Run(fmt.Sprintf("ours/%dB", size), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if parser.Scan(data, 64) != nil {
					b.Fatal("refused")
				}
			}
		})
		b.Run(fmt.Sprintf("encoding-json/%dB", size), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if !json.Valid(data) {
					b.Fatal("refused")
				}
			}
		})
	}
}
