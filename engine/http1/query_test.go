package http1_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/engine/http1"
)

func TestQueryValue(t *testing.T) {
	tests := []struct {
		query, key, want string
		n                int
		ok               bool
	}{
		{"EIO=4&transport=polling", "transport", "polling", 1, true},
		{"EIO=4&transport=polling", "sid", "", 0, true},
		{"", "sid", "", 0, true},
		{"sid", "sid", "", 1, true},
		{"sid=", "sid", "", 1, true},
		{"sid=a=b", "sid", "a=b", 1, true},
		{"sid=a&sid=b", "sid", "a", 2, true},
		{"asid=1&sid2=2&SID=3", "sid", "", 0, true},
		{"t=a%20b+c%2B", "t", "a b c+", 1, true},
		{"s%69d=x", "sid", "x", 1, true},
		{"si%6=x&%=y&s%zzd=z", "sid", "", 0, true},
		{"a+b=1&a%20b=2", "a b", "1", 2, true},
		{"sid=%", "sid", "", 1, false},
		{"sid=%4", "sid", "", 1, false},
		{"sid=%zz", "sid", "", 1, false},
		{"sid=a&sid=%zz", "sid", "", 2, false},
		{"t=%zz&sid=a", "sid", "a", 1, true},
		{"sid=%00", "sid", "\x00", 1, true},
		{"sid=a;b=c", "sid", "a;b=c", 1, true},
		{"&&sid=a&&", "sid", "a", 1, true},
		{"&&", "", "", 0, true},
		{"=a", "", "a", 1, true},
	}
	for _, tt := range tests {
		val, n, ok := http1.QueryValue([]byte(tt.query), tt.key)
		if string(val) != tt.want || n != tt.n || ok != tt.ok {
			t.Errorf("%q in %q: %q, %d, %t; want %q, %d, %t", tt.key, tt.query, val, n, ok, tt.want, tt.n, tt.ok)
		}
	}
}

// FuzzQueryValue compares with net/url, pair by pair: url.ParseQuery itself leaves
// out pairs that it does not like.
func FuzzQueryValue(f *testing.F) {
	f.Add([]byte("EIO=4&transport=polling&t=a%20b"), "t")
	f.Add([]byte("sid=a&s%69d=b+&sid=%zz"), "sid")
	f.Add([]byte("=&%=&+=%2B&a;b"), " ")
	f.Fuzz(func(t *testing.T, query []byte, key string) {
		before := bytes.Clone(query)
		val, n, ok := http1.QueryValue(query, key)
		if !bytes.Equal(query, before) {
			t.Fatal("the query was changed")
		}
		want, count, good := modelOfQuery(string(query), key)
		if n != count || ok != good || string(val) != want {
			t.Fatalf("%q, %d, %t; net/url says %q, %d, %t", val, n, ok, want, count, good)
		}
		if values, err := url.ParseQuery(string(query)); err == nil && ok {
			if values.Get(key) != want || len(values[key]) != n {
				t.Fatalf("%q, %d; net/url says %q", want, n, values[key])
			}
		}
	})
}

func modelOfQuery(query, key string) (val string, n int, ok bool) {
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); pair == "" || err != nil || name != key {
			continue
		}
		n++
		value, err := url.QueryUnescape(value)
		if err != nil {
			return "", n, false
		}
		if n == 1 {
			val = value
		}
	}
	return val, n, true
}
