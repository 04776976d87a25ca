package auth

import "testing"

func TestNamesOfTokensAreShownAsTheyAre(t *testing.T) {
	for name, want := range map[string]string{
		"Ada": "Ada", " Ada\n": "Ada", "A\x00d\x1ba": "Ada", "Ada\u202egnimdA": "AdagnimdA", "Zo\u00eb \u674e": "Zo\u00eb \u674e", "\u200bAda": "Ada", "\u2066": "",
	} {
		if got := printable(name); got != want {
			t.Errorf("%q is shown as %q, want %q", name, got, want)
		}
	}
}
