package engine_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// wireFact says where a numbered fact of the protocol is tested, or why it is not.
type wireFact struct {
	test   string // the function that tests it
	reason string // why there is none
}

// wireFacts are the facts of Engine.IO as Node's server shows them on the wire:
// 1-14 handshake and errors, 15-26 polling, 27-33 WebSocket, 34-40 upgrade. Those
// of Socket.IO (41-58) belong to the package above, 59 to engine/webtransport.
var wireFacts = map[int]wireFact{
	1: {test: "fact01"}, 2: {test: "fact02"}, 3: {test: "fact03"}, 4: {test: "fact04"},
	5: {test: "fact05"}, 6: {test: "fact06"}, 7: {test: "fact07"}, 8: {test: "fact08"},
	9: {test: "fact09"}, 10: {test: "fact10"},
	11: {test: "fact11"}, 12: {test: "fact12"},
	13: {test: "fact13"}, 14: {test: "fact14"}, 15: {test: "fact15"}, 16: {test: "fact16"}, 17: {test: "fact17"},
	18: {test: "fact18"}, 19: {test: "fact19"}, 20: {test: "fact20"}, 21: {test: "fact21"},
	22: {test: "fact22"}, 23: {test: "fact23"}, 24: {test: "fact24"},
	25: {test: "fact25"}, 26: {test: "fact26"}, 27: {test: "fact27"},
	28: {test: "fact28"},
	29: {test: "fact29"}, 30: {test: "fact30"}, 31: {test: "fact31"}, 32: {test: "fact32"},
	33: {test: "fact33"}, 34: {test: "fact34"}, 35: {test: "fact35"}, 36: {test: "fact36"},
	37: {test: "fact37"}, 38: {test: "fact38"}, 39: {test: "fact39"},
	40: {test: "TestFact40TheUpgradeForgivesAPendingPing"},
}

// TestEveryWireFactHasATestOrAReason reads this package's tests: what the list names
// must exist, and be run under the fact's number.
func TestEveryWireFactHasATestOrAReason(t *testing.T) {
	run := factsRun(t)
	for n := 1; n <= 40; n++ {
		if _, ok := wireFacts[n]; !ok {
			t.Errorf("fact %d is missing from the list", n)
		}
	}
	for n, fact := range wireFacts {
		switch {
		case (fact.test == "") == (fact.reason == ""):
			t.Errorf("fact %d wants a test or a reason, and not both", n)
		case fact.test != run[n]:
			t.Errorf("fact %d: the list says %q, what runs is %q", n, fact.test, run[n])
		}
	}
	for n, test := range run {
		if _, ok := wireFacts[n]; !ok {
			t.Errorf("%s tests fact %d, which is not in the list", test, n)
		}
	}
}

var (
	factTest    = regexp.MustCompile(`^TestFact(\d+)`)
	factSubtest = regexp.MustCompile(`^"Fact(\d+) `)
)

// factsRun finds what runs per fact: functions named TestFactNN, and functions of
// this package that are given to fact(t, "FactNN ...", function).
func factsRun(t *testing.T) map[int]string {
	t.Helper()
	run, declared := make(map[int]string), make(map[string]bool)
	note := func(number, test string) {
		n, _ := strconv.Atoi(number)
		if run[n] != "" {
			t.Errorf("fact %d is tested by %s and %s", n, run[n], test)
		}
		run[n] = test
	}
	for _, file := range parseTests(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				declared[n.Name.Name] = n.Recv == nil
				if m := factTest.FindStringSubmatch(n.Name.Name); m != nil {
					note(m[1], n.Name.Name)
				}
			case *ast.CallExpr:
				if number, test, ok := factCall(n); ok {
					note(number, test)
				}
			}
			return true
		})
	}
	for n, test := range run {
		if !declared[test] {
			t.Errorf("fact %d: there is no function %s", n, test)
		}
	}
	return run
}

// factCall takes f.fact(t, "FactNN ...", function) apart.
func factCall(call *ast.CallExpr) (number, test string, ok bool) {
	fun, isMethod := call.Fun.(*ast.SelectorExpr)
	if !isMethod || fun.Sel.Name != "fact" || len(call.Args) != 3 {
		return "", "", false
	}
	name, isLiteral := call.Args[1].(*ast.BasicLit)
	function, isName := call.Args[2].(*ast.Ident)
	if !isLiteral || !isName {
		return "", "", false
	}
	m := factSubtest.FindStringSubmatch(name.Value)
	if m == nil {
		return "", "", false
	}
	return m[1], function.Name, true
}

func parseTests(t *testing.T) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, name := range names {
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}
