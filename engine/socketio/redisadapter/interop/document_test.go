package interop_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var document = filepath.Join("..", "..", "..", "..", "docs", "clusters.md")

var update = flag.Bool("update", false, "write the matrix of docs/clusters.md anew")

// The document's matrix is what the tests run: below this line by the test, above it by hand.
const matrixLine = "<!-- what follows is written by go test ./engine/socketio/redisadapter/interop -update -->\n"

// TestTheDocumentHasTheMatrix compares the table of docs/clusters.md with the cases.
func TestTheDocumentHasTheMatrix(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, got, found := strings.Cut(string(text), matrixLine)
	if !found {
		t.Fatalf("%s has no line %s", document, matrixLine)
	}
	want := matrix()
	if *update {
		if err := os.WriteFile(document, []byte(before+matrixLine+want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("%s is not what the tests run: go test ./engine/socketio/redisadapter/interop -run TestTheDocumentHasTheMatrix -update", document)
	}
}

// row is a case, by what is said of it for each adapter.
type row struct {
	group, name string
	cells       []string
}

func matrix() string {
	var rows []*row
	for _, c := range cases() {
		rows = add(rows, c.group, c.name, func(m *mode) string { return cell(c.plays(m, "node"), c.plays(m, "go")) })
	}
	for _, c := range crowd {
		rows = add(rows, c.group, c.name, func(*mode) string { return "✓" })
	}
	for _, r := range recoveries {
		rows = add(rows, "recovery on another server", r.name, func(m *mode) string {
			if r.ours && m == streams {
				return "to Fanfare"
			}
			return cell(m == streams, m == streams)
		})
	}
	rows = add(rows, "recovery on another server", "after kill -9 of a server of ours", func(m *mode) string { return cell(false, m == streams) })
	for _, o := range outages {
		rows = add(rows, "whole again after", o.name, func(*mode) string { return "✓" })
	}
	rows = add(rows, "whole again after", "a server is killed while it is asked", func(*mode) string { return "✓" })
	var b strings.Builder
	b.WriteString("\n| | | " + strings.Join(modeNames(), " | ") + " |\n|---|---|" + strings.Repeat(":---:|", len(modes)) + "\n")
	group := ""
	for _, r := range rows {
		name := r.group
		if name == group {
			name = ""
		}
		group = r.group
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, strings.NewReplacer("|", `\|`, "*", `\*`, "[", `\[`).Replace(r.name), strings.Join(r.cells, " | "))
	}
	return b.String()
}

// add adds a case, or what another adapter makes of one that is there.
func add(rows []*row, group, name string, say func(m *mode) string) []*row {
	i := slices.IndexFunc(rows, func(r *row) bool { return r.group == group && r.name == name })
	if i < 0 {
		i, rows = len(rows), append(rows, &row{group: group, name: name, cells: make([]string, len(modes))})
	}
	for k, m := range modes {
		if text := say(m); text != "" {
			rows[i].cells[k] = text
		}
	}
	return rows
}

func cell(node, ours bool) string {
	switch {
	case node && ours:
		return "✓"
	case ours:
		return "Fanfare's"
	}
	return ""
}

func modeNames() (names []string) {
	for _, m := range modes {
		names = append(names, m.name)
	}
	return names
}
