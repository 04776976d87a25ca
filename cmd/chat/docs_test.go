package main_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the repository's.
const root = "../.."

var (
	fence     = regexp.MustCompile("^```(sh|bash|shell|console)\\b")
	runBy     = regexp.MustCompile(`^<!-- run by ((?:(?:Test|Example)\w+(?:, )?)+) -->$`)
	allRunBy  = regexp.MustCompile(`(?m)^<!-- all commands here are run by (Test\w+) -->$`)
	notRun    = regexp.MustCompile(`^<!-- not run: \S.{8,} -->$`)
	testNames = regexp.MustCompile(`(?m)^func ((?:Test|Example)\w*)\(`)
	named     = regexp.MustCompile("`((?:Test|Example)\\w+)`")
)

// testsThereAre are the names of all tests of the repository.
func testsThereAre(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	walk(t, root, func(path string) {
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range testNames.FindAllSubmatch(read(t, path), -1) {
				names[string(m[1])] = true
			}
		}
	})
	return names
}

// walk visits the files of the repository.
func walk(t *testing.T, folder string, visit func(path string)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return filepath.SkipDir
		case !d.IsDir():
			visit(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pages are the documents that users read.
func pages(t *testing.T) (paths []string) {
	t.Helper()
	walk(t, filepath.Join(root, "docs"), func(path string) {
		if strings.HasSuffix(path, ".md") {
			paths = append(paths, path)
		}
	})
	return append(paths, filepath.Join(root, "README.md"))
}

// Above each block of commands stands which tests run it, or why none does; a page whose
// commands are all run by one test says so once.
func TestDocsAreExecuted(t *testing.T) {
	tests := testsThereAre(t)
	blocks := 0
	for _, path := range pages(t) {
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			text := string(read(t, path))
			if m := allRunBy.FindStringSubmatch(text); m != nil {
				if fault := markFault("<!-- run by "+m[1]+" -->", tests); fault != "" {
					t.Error(fault)
				}
				return
			}
			lines := strings.Split(text, "\n")
			for i, line := range lines {
				if !fence.MatchString(strings.TrimSpace(line)) {
					continue
				}
				blocks++
				if fault := markFault(markAbove(lines[:i]), tests); fault != "" {
					t.Errorf("line %d: %s", i+1, fault)
				}
			}
		})
	}
	if blocks < 10 {
		t.Errorf("only %d blocks of commands were found", blocks)
	}
	for mark, ok := range map[string]bool{
		"<!-- run by TestDocsAreExecuted -->": true, "<!-- run by TestNothing -->": false, "": false,
		"<!-- not run: -->": false, "<!-- not run: needs a cluster -->": true, "<!-- run by TestDocsAreExecuted, TestNothing -->": false,
	} {
		if fault := markFault(mark, tests); (fault == "") != ok {
			t.Errorf("%q: %q", mark, fault)
		}
	}
}

// markAbove is the nearest line that says something.
func markAbove(lines []string) string {
	for i := len(lines) - 1; i >= 0; i-- {
		if line := strings.TrimSpace(lines[i]); line != "" {
			return line
		}
	}
	return ""
}

// markFault says what is wrong with a mark; empty: nothing.
func markFault(mark string, tests map[string]bool) string {
	if notRun.MatchString(mark) {
		return ""
	}
	m := runBy.FindStringSubmatch(mark)
	if m == nil {
		return "above these commands must stand <!-- run by TestX --> or <!-- not run: why -->"
	}
	for name := range strings.SplitSeq(m[1], ", ") {
		if !tests[name] {
			return "there is no " + name
		}
	}
	return ""
}

// Each file of docs/deploy is in the table of its README, with tests that there are.
func TestEveryRecipeIsRun(t *testing.T) {
	tests := testsThereAre(t)
	table := string(read(t, filepath.Join(deploy, "README.md")))
	files := 0
	walk(t, deploy, func(path string) {
		name, err := filepath.Rel(deploy, path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "check/") || slices.Contains([]string{".md", ".dockerignore"}, filepath.Ext(name)) {
			return
		}
		files++
		for row := range strings.Lines(table) {
			if !strings.HasPrefix(row, "|") || !strings.Contains(row, "("+name+")") {
				continue
			}
			all := named.FindAllStringSubmatch(row, -1)
			for _, m := range all {
				if !tests[m[1]] {
					t.Errorf("%s: there is no %s", name, m[1])
				}
			}
			if len(all) == 0 {
				t.Errorf("%s is run by no test", name)
			}
			return
		}
		t.Errorf("%s is not in the table", name)
	})
	if files < 10 {
		t.Errorf("only %d files were found", files)
	}
}

// What the page on tuning has people look at can be looked at.
func TestTuningIsLookedAtAsWritten(t *testing.T) {
	if _, err := os.Stat("/proc/sys/net"); err != nil {
		t.Skip("it is about Linux")
	}
	text, blocks := string(read(t, filepath.Join(root, "docs/tuning.md"))), 0
	const mark = "<!-- run by TestTuningIsLookedAtAsWritten -->\n```sh\n"
	for _, part := range strings.Split(text, mark)[1:] {
		script, _, _ := strings.Cut(part, "\n```")
		if out := prints(t, exec.Command("sh", "-eu", "-c", script)); strings.TrimSpace(out) == "" {
			t.Errorf("nothing is printed by\n%s", script)
		}
		blocks++
	}
	if blocks < 6 {
		t.Errorf("%d blocks", blocks)
	}
}
