package config_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/fanfare-go/fanfare/cmd/chat/config"
)

const document = "../../../docs/configuration.md"

var update = flag.Bool("update", false, "write the tables of docs/configuration.md anew")

// The document's tables are what the program says of itself: below this line by the
// test, above it by hand.
const tables = "<!-- what follows is written by go test ./cmd/chat/config -update -->\n"

func TestTheDocumentHasEveryOption(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, got, found := strings.Cut(string(text), tables)
	if !found {
		t.Fatalf("%s has no line %s", document, tables)
	}
	_, options := mustParse(t)
	want := describe(options)
	if *update {
		if err := os.WriteFile(document, []byte(before+tables+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("%s is not what the program says: go test ./cmd/chat/config -run TestTheDocumentHasEveryOption -update", document)
	}
}

func describe(options []config.Option) string {
	var b strings.Builder
	group := ""
	for _, o := range options {
		if o.Group != group {
			group = o.Group
			fmt.Fprintf(&b, "\n## %s\n\n| option | default | |\n|---|---|---|\n", group)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s%s |\n", o.Name, defaultOf(o), strings.ReplaceAll(o.Help, "|", `\|`), marks(o))
	}
	return b.String()
}

func defaultOf(o config.Option) string {
	switch v := o.Value.(type) {
	case string:
		if v == "" {
			return ""
		}
	case []string:
		if len(v) == 0 {
			return ""
		}
		return "`" + strings.Join(v, ",") + "`"
	case int, int64:
		if fmt.Sprint(v) == "0" {
			return ""
		}
	case bool:
		if !v {
			return ""
		}
	}
	return "`" + fmt.Sprint(o.Value) + "`"
}

func marks(o config.Option) (s string) {
	if o.Secret {
		s += " **Secret.**"
	}
	if o.Reload {
		s += " *SIGHUP.*"
	}
	return s
}
