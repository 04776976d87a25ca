package socketio_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example|fact\d)\w*)\(`)
	testNamed    = regexp.MustCompile("`((?:Test|Fuzz|Example|fact\\d)\\w*)`")
)

// TestFeaturesNameTheirTests reads the README's tables of features: each row names tests
// that exist, or says why there is none.
func TestFeaturesNameTheirTests(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, tables, found := strings.Cut(string(readme), "## Feature by feature\n")
	if !found {
		t.Fatal("the README has no tables of features")
	}
	tables, _, _ = strings.Cut(tables, "\n## ")
	tests, rows := functionsOfTests(t), 0
	for line := range strings.Lines(tables) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasSuffix(strings.TrimSpace(line), "tests, or the reason |") {
			continue
		}
		if rows++; len(cells) != 3 {
			t.Errorf("%d cells: %s", len(cells), line)
			continue
		}
		checkRow(t, cells, tests)
	}
	if rows < 100 {
		t.Errorf("%d rows: the list of features is longer", rows)
	}
}

func checkRow(t *testing.T, cells []string, tests map[string]bool) {
	t.Helper()
	named := testNamed.FindAllStringSubmatch(cells[2], -1)
	for _, m := range named {
		if !tests[m[1]] {
			t.Errorf("%q names %s, which there is not", cells[0], m[1])
		}
	}
	switch words := len(strings.Fields(testNamed.ReplaceAllString(cells[2], ""))); {
	case strings.Contains(cells[1]+cells[2], "planned"):
		t.Errorf("%q is planned", cells[0])
	case len(named) == 0 && words < 4:
		t.Errorf("%q has neither a test nor a reason", cells[0])
	}
}

// functionsOfTests finds the tests of this module, and of those below it.
func functionsOfTests(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return fs.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		for _, m := range testFunction.FindAllSubmatch(source, -1) {
			names[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
