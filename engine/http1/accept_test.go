package http1_test

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/http1"
)

func acceptEncoding(values ...string) http1.Request {
	q := http1.Request{Fields: []http1.Field{{Name: []byte("Accept"), Value: []byte("gzip")}}}
	for _, v := range values {
		q.Fields = append(q.Fields, http1.Field{Name: []byte("accept-encoding"), Value: []byte(v)})
	}
	return q
}

func TestAcceptEncoding(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"gzip, deflate, br, zstd"}, "gzip"}, // Chromium
		{[]string{"deflate, gzip"}, "deflate"},
		{[]string{"GZIP"}, "gzip"},
		{[]string{"gzip;q=0.5, deflate;q=0.8"}, "deflate"},
		{[]string{"gzip;q=0.5 , deflate ; q=0.8"}, "deflate"},
		{[]string{"gzip;q=0"}, ""},
		{[]string{"gzip;q=0.000, deflate;q=0.001"}, "deflate"},
		{[]string{"gzip;Q=1.000"}, "gzip"},
		{[]string{"identity"}, ""},
		{[]string{"identity;q=1, gzip;q=0.1"}, "gzip"},
		{[]string{"br"}, ""},
		{[]string{"*"}, "gzip"},
		{[]string{"*;q=0"}, ""},
		{[]string{"*;q=0, deflate"}, "deflate"},
		{[]string{"gzip;q=0, *"}, "deflate"},
		{[]string{"*, gzip;q=0"}, "deflate"},
		{[]string{"*, deflate"}, "deflate"},
		{[]string{"deflate;q=0.5, *;q=0.7"}, "gzip"},
		{[]string{"br", "deflate"}, "deflate"},
		{[]string{"br;q=1, deflate", "gzip"}, "deflate"},
		{[]string{"gzip;q=0, gzip;q=0.3"}, "gzip"},
		{[]string{",,gzip,,"}, "gzip"},
		{[]string{"gzip;q=1.001"}, ""},
		{[]string{"gzip;q=2"}, ""},
		{[]string{"gzip;q=0.1234, deflate;q=0.1"}, "deflate"},
		{[]string{"gzip;q=-1"}, ""},
		{[]string{"gzip;q=,deflate;q"}, ""},
		{[]string{"gzip;level=9"}, ""},
		{[]string{"xgzip, gzip2, g zip"}, ""},
	} {
		q := acceptEncoding(tt.values...)
		got := ""
		if i := q.AcceptEncoding("gzip", "deflate"); i >= 0 {
			got = []string{"gzip", "deflate"}[i]
		}
		if got != tt.want {
			t.Errorf("%q: %q, want %q", tt.values, got, tt.want)
		}
	}
	q := acceptEncoding("gzip, deflate, br")
	if n := testing.AllocsPerRun(100, func() { q.AcceptEncoding("gzip", "deflate") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzAcceptEncoding holds the choice against one made the long way.
func FuzzAcceptEncoding(f *testing.F) {
	for _, s := range []string{"gzip, deflate, br", "gzip;q=0.5, *;q=0.7", "*;q=0", "deflate ; q=1.000,gzip;q=1", ",;=,q", "identity;q=1, gzip;q=0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		q := acceptEncoding(value)
		if got, want := q.AcceptEncoding("gzip", "deflate"), chosen(value, "gzip", "deflate"); got != want {
			t.Fatalf("%q: %d, want %d", value, got, want)
		}
	})
}

func chosen(value string, codings ...string) int {
	type claim struct{ coding, weight, named, place int }
	var all []claim
	for i, c := range codings {
		var named, any []claim
		for place, e := range strings.Split(value, ",") {
			name, param, has := strings.Cut(strings.Trim(e, " \t"), ";")
			name, weight := strings.Trim(name, " \t"), 1000
			if has {
				weight = referenceWeight(strings.Trim(param, " \t"))
			}
			switch {
			case strings.ToLower(name) == c && len(name) == len(c): // not by Unicode's rules
				named = append(named, claim{i, weight, 1, place})
			case name == "*":
				any = append(any, claim{i, weight, 0, i})
			}
		}
		if len(named) == 0 {
			named = any
		}
		slices.SortStableFunc(named, func(a, b claim) int { return cmp.Or(b.weight-a.weight, a.place-b.place) })
		if len(named) > 0 && named[0].weight > 0 {
			all = append(all, named[0])
		}
	}
	slices.SortStableFunc(all, func(a, b claim) int { return cmp.Or(b.weight-a.weight, b.named-a.named, a.place-b.place) })
	if len(all) == 0 {
		return -1
	}
	return all[0].coding
}

func referenceWeight(param string) int {
	digits, ok := strings.CutPrefix(strings.ToLower(param), "q=")
	whole, decimals, dot := strings.Cut(digits, ".")
	if !ok || whole != "0" && whole != "1" || len(decimals) > 3 {
		return 0
	}
	n := 0
	if dot && decimals != "" {
		var err error
		if n, err = strconv.Atoi((decimals + "00")[:3]); err != nil || strings.ContainsAny(decimals, "+-_") {
			return 0
		}
	}
	if whole == "1" && n > 0 {
		return 0
	}
	return n + int(whole[0]-'0')*1000
}
