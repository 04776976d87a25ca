package socketio_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// wireFacts are the facts of Socket.IO as Node's server shows them on the wire,
// and the tests of each: those of the fact's own number, and others that meet it.
// Facts 1 to 40 are the engine's.
var wireFacts = map[int][]string{
	13: {"TestFact13ClientsOfEIO3AreInWithoutAsking"}, // what is Engine.IO's of it is in engine
	41: {"TestFact41ConnectIsAnsweredWithAnID", "TestConnectToNamespaces", "TestIDs", "TestRecoveryRestoresTheSocket"},
	42: {"TestFact42ConnectTakesAnObjectOrNothing", "TestViolationsClose"},
	43: {"TestFact43TheQueryIsPartOfTheName", "TestFact43TheQueryOfEIO3IsItsAuth", "TestConnectToNamespaces"},
	44: {"TestFact44AnUnknownNamespaceCostsNothing", "TestConnectToNamespaces"},
	45: {"TestFact45MiddlewareErrorsAreTold", "TestMiddlewareDecides"},
	46: {"TestFact46WhoJoinsNothingInTimeIsClosed", "TestSocketsStillInTheirMiddlewareTimeOut"},
	47: {"TestFact47ASecondConnectClosesEverything", "TestViolationsClose"},
	48: {"TestFact48PacketsForNobodyCloseEverything", "TestViolationsClose", "TestReconnectingOnOneConnection"},
	49: {"TestFact49DisconnectKeepsTheConnection", "TestReconnectingOnOneConnection", "TestViolationsClose"},
	50: {"TestFact50AckIDs", "TestAcksFromHandlers", "TestEmitWithAck", "TestToleratedPackets"},
	51: {"TestFact51AttachmentsFollowTheirHeader", "TestBinaryEvent", "TestAcksFromHandlers", "TestEmitWithAck"},
	52: {"TestFact52OnlyHeartbeatsComeBetweenAttachments", "TestFact52HeartbeatsDoNotDisturbAttachments", "TestViolationsClose"},
	53: {"TestFact53ABinaryPacketHasAttachments", "TestViolationsClose"},
	54: {"TestFact54IllegalAttachmentsClose", "TestFact54AsManyAttachmentsAsAllowed", "TestViolationsClose"},
	55: {"TestFact55ShapesOfEvents", "TestFact55NamesOfEvents", "TestToleratedPackets", "TestViolationsClose"},
	56: {"TestFact56DisconnectTrueSaysSoInEachNamespace", "TestDisconnectTrueLeavesEveryNamespace"},
	57: {"TestFact57ACloseIsNotADisconnect", "TestReconnectingOnOneConnection"},
	58: {"TestFact58NobodyIsInBeforeTheAnswer", "TestViolationsClose"},
	59: {"TestFact59PacketsOnAStream"},
}

// TestEveryWireFactHasATestOrAReason reads this package's tests: each fact must be
// in the list, and the list must name tests that exist.
func TestEveryWireFactHasATestOrAReason(t *testing.T) {
	tests := declaredTests(t)
	for n := 41; n <= 59; n++ {
		if len(wireFacts[n]) == 0 {
			t.Errorf("fact %d has no test", n)
		}
	}
	for n, names := range wireFacts {
		for _, name := range names {
			if !tests[name] {
				t.Errorf("fact %d: there is no test %s", n, name)
			}
		}
	}
	for name := range tests {
		m := factTest.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		if n, _ := strconv.Atoi(m[1]); !slices.Contains(wireFacts[n], name) {
			t.Errorf("%s is not in the list", name)
		}
	}
}

var (
	anyTest  = regexp.MustCompile(`^Test[A-Z]`)
	factTest = regexp.MustCompile(`^TestFact(\d+)`)
)

// TestTheTableOfFactsNamesItsTests reads docs/wire-facts.md: it must have a row for
// every fact, and name this package's tests as the list does.
func TestTheTableOfFactsNamesItsTests(t *testing.T) {
	doc, err := os.ReadFile("../../docs/wire-facts.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[int]string)
	for _, m := range tableRow.FindAllStringSubmatch(string(doc), -1) {
		n, _ := strconv.Atoi(m[1])
		rows[n] = m[0]
	}
	for n := 1; n <= 59; n++ {
		if rows[n] == "" {
			t.Errorf("fact %d has no row", n)
		}
		for _, name := range wireFacts[n] {
			if !strings.Contains(rows[n], "`"+name+"`") {
				t.Errorf("the row of fact %d does not name %s", n, name)
			}
		}
	}
	tests := functionsOfTests(t) // of clients, too
	_, rest, _ := strings.Cut(string(doc), "| 41 |")
	for _, m := range quotedTest.FindAllStringSubmatch(rest, -1) {
		if !tests[m[1]] {
			t.Errorf("the table names %s, which does not exist", m[1])
		}
	}
}

var (
	tableRow   = regexp.MustCompile(`(?m)^\| (\d+) \|.*$`)
	quotedTest = regexp.MustCompile("`(Test\\w+)`")
)

// declaredTests finds the test functions of this folder, and of WebTransport's.
func declaredTests(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	beside, err2 := filepath.Glob("../webtransport/*_test.go")
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	files = append(files, beside...)
	tests, set := make(map[string]bool), token.NewFileSet()
	for _, name := range files {
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && anyTest.MatchString(f.Name.Name) {
				tests[f.Name.Name] = true
			}
		}
	}
	return tests
}
