package socketio_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// nodeNames is what Node's classes offer, read from the sources of socket.io 4.8.
var nodeNames = map[string]string{
	"Server": "sockets engine httpServer serveClient path connectTimeout adapter listen attach attachApp bind of close use to in except emit send " +
		"write serverSideEmit serverSideEmitWithAck allSockets compress volatile local timeout fetchSockets socketsJoin socketsLeave " +
		"disconnectSockets connect connection new_namespace",
	"Namespace": "name sockets adapter server use to in except emit send write serverSideEmit serverSideEmitWithAck allSockets compress volatile " +
		"local timeout fetchSockets socketsJoin socketsLeave disconnectSockets connect connection",
	"ParentNamespace": "createChild emit",
	"Socket": "id recovered handshake data connected disconnected nsp client conn request rooms emit emitWithAck send write join leave to in except " +
		"broadcast local volatile compress timeout use disconnect onAny prependAny offAny listenersAny onAnyOutgoing prependAnyOutgoing " +
		"offAnyOutgoing listenersAnyOutgoing on once off eventNames removeListener removeAllListeners listeners disconnecting error",
	"BroadcastOperator": "to in except compress volatile local timeout emit emitWithAck allSockets fetchSockets socketsJoin socketsLeave disconnectSockets",
	"RemoteSocket":      "id handshake rooms data emit timeout join leave disconnect",
	"Client":            "conn request",
	"Engine": "opts clientsCount upgrades use close generateId handleRequest handleUpgrade attach onWebTransportSession connection connection_error " +
		"initial_headers headers flush drain",
	"Adapter": "rooms sids nsp init close serverCount addAll del delAll broadcast broadcastWithAck sockets socketRooms fetchSockets addSockets " +
		"delSockets disconnectSockets serverSideEmit persistSession restoreSession create-room delete-room join-room leave-room",
	"Parser": "Encoder Decoder",
}

var inCode = regexp.MustCompile("`([^`]+)`")

// TestPublicNamesExist reads the tables of docs/compatibility.md that say where each of
// Node's names is found.
func TestPublicNamesExist(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, ok := strings.Cut(string(doc), "\n# Public names\n")
	if !ok {
		t.Fatal("there is no section of public names")
	}
	names := exportedNames(t)
	listed := make(map[string]bool)
	class, rows := "", 0
	for line := range strings.Lines(tables) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			class = strings.TrimSpace(name)
		}
		columns := strings.Split(line, "|")
		if len(columns) < 4 || strings.Contains(line, "---") || strings.TrimSpace(columns[1]) == "Node" {
			continue
		}
		rows++
		for _, m := range inCode.FindAllStringSubmatch(columns[1], -1) {
			listed[class+"."+m[1]] = true
		}
		here := inCode.FindAllStringSubmatch(columns[2], -1)
		if len(here) == 0 && strings.TrimSpace(columns[3]) == "" {
			t.Errorf("no name and no reason: %s", line)
		}
		for _, m := range here {
			if !names[m[1]] {
				t.Errorf("%s does not exist: %s", m[1], line)
			}
		}
	}
	for class, all := range nodeNames {
		for name := range strings.FieldsSeq(all) {
			if !listed[class+"."+name] {
				t.Errorf("Node's %s.%s is in no table", class, name)
			}
		}
	}
	if rows < 60 {
		t.Errorf("only %d rows were read", rows)
	}
}

// exportedNames are those of this package: "New", and "Server.Of" for methods and fields.
func exportedNames(t *testing.T) map[string]bool {
	t.Helper()
	names := make(map[string]bool)
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			addNames(names, d)
		}
	}
	for name := range names { // what is promoted
		if method, ok := strings.CutPrefix(name, "Namespace."); ok {
			names["ParentNamespace."+method] = true
		}
	}
	return names
}

func addNames(names map[string]bool, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			names[d.Name.Name] = true
		} else {
			names[receiver(d.Recv.List[0].Type)+"."+d.Name.Name] = true
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				for _, n := range s.Names {
					names[n.Name] = true
				}
			case *ast.TypeSpec:
				names[s.Name.Name] = true
				for _, f := range fields(s.Type) {
					names[s.Name.Name+"."+f] = true
				}
			}
		}
	}
}

// receiver is the name of a method's type.
func receiver(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.IndexListExpr:
		return receiver(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}

// fields are those of a struct, or the methods of an interface.
func fields(x ast.Expr) (names []string) {
	var list *ast.FieldList
	switch x := x.(type) {
	case *ast.StructType:
		list = x.Fields
	case *ast.InterfaceType:
		list = x.Methods
	default:
		return nil
	}
	for _, f := range list.List {
		for _, n := range f.Names {
			names = append(names, n.Name)
		}
	}
	return names
}
