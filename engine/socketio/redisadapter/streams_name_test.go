package redisadapter

import (
	"slices"
	"testing"
)

func TestHashesOfNamespacesAreThoseOfNode(t *testing.T) {
	for nsp, want := range map[string]int32{
		"":              0,
		"/":             47,
		"/chat":         46457863,
		"/my-namespace": -1403629527,
		"/räum":         47024505,
		"/\U0001F600":   1818066, // two UTF-16 units
	} {
		if got := javaHash(nsp); got != want {
			t.Errorf("%q: %d, want %d", nsp, got, want)
		}
	}
}

func TestNamespacesWriteToTheStreamThatNodeWritesTo(t *testing.T) {
	for _, c := range []struct {
		nsp    string
		count  int
		strict bool
		want   string
	}{
		{"/", 1, false, "s"},
		{"/my-namespace", 0, false, "s"},
		{"/", 4, false, "s-3"},
		{"/chat", 4, false, "s-3"},
		{"/my-namespace", 4, false, "s--3"},
		{"/my-namespace", 4, true, "s-1"},
		{"/chat", 4, true, "s-3"},
	} {
		if got := streamOf("s", c.nsp, c.count, c.strict); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestStreamsBelowZeroAreRead(t *testing.T) {
	for nsp, want := range map[string][]string{
		"/":             {"s-0", "s-1", "s-2", "s-3"},
		"/my-namespace": {"s-0", "s-1", "s-2", "s-3", "s--3"},
	} {
		if got := streamsOf("s", nsp, 4); !slices.Equal(got, want) {
			t.Errorf("%q: %q", nsp, got)
		}
	}
	if got := streamsOf("s", "/my-namespace", 1); !slices.Equal(got, []string{"s"}) {
		t.Errorf("%q", got)
	}
}
